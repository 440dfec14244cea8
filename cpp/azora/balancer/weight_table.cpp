#include "azora/balancer/weight_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "azora/balancer/random.hpp"

namespace azora::balancer {
namespace {

// Sums stay below 2^53: there doubles still are whole numbers, and a sum of two points fits easily.
constexpr double kLargestSum = 9007199254740992.0;
constexpr double kFallbackSum = 4503599627370496.0;  // 2^52
constexpr std::uint64_t kMostScheduled = 16'384;     // 128 KiB, made in some 100 us
constexpr int kMostDecimals = 9;                      // finer ones take the fallback

double positive(double weight) { return weight > 0 && std::isfinite(weight) ? weight : 0; }

// Puts `weights` times `scale` into `out`. False when these are not whole numbers, but for the rounding of a double.
bool whole_at(std::span<const double> weights, double scale, std::vector<std::uint64_t>& out) {
  out.clear();
  double sum = 0;
  for (const double weight : weights) {
    const double scaled = positive(weight) * scale;
    const double whole = std::round(scaled);
    if (std::abs(scaled - whole) > scaled * 0x1p-50) return false;
    if (whole == 0 && scaled > 0) return false;
    sum += whole;
    if (sum > kLargestSum) return false;
    out.push_back(static_cast<std::uint64_t>(whole));
  }
  return true;
}

}  // namespace

std::vector<std::uint64_t> whole_shares(std::span<const double> weights) {
  std::vector<std::uint64_t> shares;
  shares.reserve(weights.size());
  double scale = 1;
  for (int decimals = 0; decimals <= kMostDecimals; ++decimals, scale *= 10) {
    if (!whole_at(weights, scale, shares)) continue;
    std::uint64_t common = 0;
    for (const std::uint64_t share : shares) common = std::gcd(common, share);
    if (common > 1) {
      for (std::uint64_t& share : shares) share /= common;
    }
    return shares;
  }
  // Scaled down first: a sum of huge weights must not leave the range of a double.
  const double largest = positive(*std::max_element(weights.begin(), weights.end()));
  double sum = 0;
  for (const double weight : weights) sum += positive(weight) / largest;
  shares.clear();
  for (const double weight : weights) {
    if (positive(weight) == 0) {
      shares.push_back(0);
      continue;
    }
    const double share = std::round(positive(weight) / largest / sum * kFallbackSum);
    shares.push_back(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(share)));
  }
  return shares;
}

std::uint64_t stride_for(std::uint64_t total) {
  if (total < 2) return 0;
  const auto wanted = static_cast<std::uint64_t>(static_cast<double>(total) * 0.6180339887498949);
  for (std::uint64_t away = 0;; ++away) {
    const std::uint64_t above = wanted + away;
    if (above > 0 && above < total && std::gcd(above, total) == 1) return above;
    if (away < wanted && std::gcd(wanted - away, total) == 1) return wanted - away;
  }
}

WeightTable::WeightTable(const std::vector<Entry>& entries, std::uint64_t version,
                         const WeightTable* before)
    : version_(version) {
  if (entries.empty()) return;
  std::vector<double> weights;
  weights.reserve(entries.size());
  for (const Entry& entry : entries) weights.push_back(entry.weight);
  const std::vector<std::uint64_t> shares = whole_shares(weights);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (shares[i] == 0) continue;
    total_ += shares[i];
    members_.push_back(entries[i].instance);
    ends_.push_back(total_);
  }
  if (total_ == 0) return;
  stride_ = stride_for(total_);

  // Between one and four guide posts per member.
  const int posts = static_cast<int>(std::bit_width(members_.size())) + 1;
  const int range = static_cast<int>(std::bit_width(total_ - 1));
  shift_ = range > posts ? static_cast<unsigned>(range - posts) : 0;
  guide_.resize(((total_ - 1) >> shift_) + 1);
  std::uint32_t member = 0;
  for (std::size_t post = 0; post < guide_.size(); ++post) {
    while (ends_[member] <= static_cast<std::uint64_t>(post) << shift_) ++member;
    guide_[post] = member;
  }
  const std::uint64_t begin =
      before && before->total_ > 0 ? multiply_divide(before->peek(), total_, before->total_) : 0;
  if (total_ > kMostScheduled) {
    position_.store(begin, std::memory_order_relaxed);
    return;
  }
  first_ = begin;
  schedule_.reserve(total_);
  std::uint64_t point = begin;
  for (std::uint64_t turn = 0; turn < total_; ++turn, point = after(point)) schedule_.push_back(at(point));
}

std::size_t WeightTable::find_after(std::size_t member, std::uint64_t point) const {
  for (int step = 0; step < 8; ++step, ++member) {
    if (point < ends_[member]) return member;
  }
  // Many tiny intervals between two guide posts.
  const auto from = ends_.begin() + static_cast<std::ptrdiff_t>(member);
  return static_cast<std::size_t>(std::upper_bound(from, ends_.end(), point) - ends_.begin());
}

}  // namespace azora::balancer
