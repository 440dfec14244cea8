#include "azora/health/lanes/https_lane.hpp"

#include <algorithm>

#include "azora/health/body_figures.hpp"
#include "azora/health/http_request.hpp"

namespace azora::health {
namespace {

Outcome outcome_of(net::HttpsClient::End end) {
  switch (end) {
    case net::HttpsClient::End::answered: return Outcome::answered;
    case net::HttpsClient::End::refused: return Outcome::refused;
    case net::HttpsClient::End::protocol_error: return Outcome::protocol_error;
    case net::HttpsClient::End::overloaded: return Outcome::overloaded;
  }
  return Outcome::refused;
}

}  // namespace

HttpsLane::HttpsLane(const World& world)
    : world_(world), client_(world.epoll_fd, world.event_tag, [this](net::HttpsClient::Done done) { on_done(std::move(done)); }) {}

void HttpsLane::start(Slot slot, const std::shared_ptr<const ProbeTarget>& target) {
  if (slot >= peers_.size()) peers_.resize(slot + 1);
  peers_[slot].target = target;
  peers_[slot].open = true;
  world_.host->need_addresses(slot);
}

void HttpsLane::addresses(Slot slot, std::vector<net::Address>& found) {
  Peer& peer = peers_[slot];
  const ProbeTarget& target = *peer.target;
  std::erase_if(found, [](const net::Address& address) { return address.is_forbidden(); });
  if (found.empty()) {
    peer.open = false;
    return world_.host->on_end(slot, {.outcome = Outcome::refused, .error = std::string(kForbiddenAddress)});
  }
  net::HttpsClient::Request request;
  request.target = slot;
  request.host = target.host;
  request.port = target.port;
  request.method = target.method;
  request.url = "https://" + authority(target, true) + safe_path(*target.path);
  request.headers = https_headers(target);
  request.addresses = std::move(found);
  request.fresh = !target.reuse_connection || peer.reuse.spent();
  if (request.fresh) peer.reuse.renewed();
  request.keep = target.reuse_connection && !peer.reuse.last();
  client_.start(request, world_.clock());
}

void HttpsLane::on_done(net::HttpsClient::Done done) {
  Peer& peer = peers_[done.target];
  peer.open = false;
  ProbeEnd end;
  end.outcome = outcome_of(done.end);
  end.http_status = done.status;
  end.latency = done.latency;
  end.error = done.error;
  if (!done.body.empty()) {
    BodyFigures figures = read_figures(done.body);
    end.cpu = std::move(figures.cpu);
    end.memory = std::move(figures.memory);
  }
  const bool good = end.outcome == Outcome::answered && end.http_status < 300 && !done.irregular;
  if (!peer.reuse.keep_after(good)) peer.reuse.spoil();
  world_.host->on_end(done.target, std::move(end));
}

void HttpsLane::cancel(Slot slot) {
  if (slot >= peers_.size() || !peers_[slot].open) return;
  peers_[slot].open = false;
  peers_[slot].reuse.spoil();
  client_.cancel(slot);
}

void HttpsLane::forget(Slot slot) {
  if (slot >= peers_.size()) return;
  client_.forget(slot);
  peers_[slot] = Peer{};
}

void HttpsLane::on_event(std::uint64_t data, std::uint32_t events, SteadyTime now) {
  client_.on_event(data, events, now);
}

}  // namespace azora::health
