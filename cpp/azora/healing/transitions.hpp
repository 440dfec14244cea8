#pragma once
// The machine as one table: where each input may lead from each lifecycle. The exhaustive search compares every cell
// with what step() does in every machine that can come about, so that a missing or a surplus entry fails a test; the
// caller of step() asserts follows() in production.
//
// How to read it: a column is the lifecycle before, a row the input, a cell all lifecycles that may follow, by the
// letter that is upper case in the head of their column. A cell with the column's own letter alone: the lifecycle
// stays, something else changes (a deadline, a request, the budget). `nop`: nothing changes at all.
// Inputs of another incarnation are `nop` everywhere and have no row.
//
// There are two machines in it, by what the action can do (plan.hpp):
// - owned: it tells exits and can stop (a process; a unit, a container). Rest is IDLE: proven that nothing runs.
// - not owned: others run the service (a callable; a webhook). Rest is READY: its checks say how it is, and a
//   check that passes brings it back from everywhere. WATCHING is a service without any action.
//
// ADOPT, in words: entered by `adopted` when our restart finds an incarnation running, from every lifecycle in which
// nothing runs. The first check that passes makes it READY, without `restarted`. restartThreshold failures ask for a
// kill permit as in READY. Its exit is swept as any other. When startTimeout passes with neither: READY if it was ready
// when it was last seen (its checks go on deciding), else stopped as a start that took too long; while a dependency
// explains it, the time begins anew.
//
// Values, computed by the compiler. Threads: any. Fails: never.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "azora/healing/machine.hpp"

namespace azora::healing {

inline constexpr std::string_view kOwnedTable = R"(
                 Idle     Blocked  Starting Ready    sTopping Killing  stUck    sweeP    backOff  Failed   Done     Adopt
desire_up        B        B        S        R        T        K        U        P        BO       BF       BD       A
desire_hold      I        I        S        R        T        K        U        P        I        I        D        A
desire_down      I        I        T        T        T        K        U        P        I        I        I        T
restart          B        B        T        T        T        K        U        P        B        B        B        T
restart_along    nop      nop      ST       RT       nop      nop      nop      nop      nop      nop      nop      TA
deps_ok          I        B        S        R        T        K        U        P        BO       BF       D        A
deps_lost        I        B        S        R        T        K        U        P        B        F        D        A
admitted         I        BS       S        R        T        K        U        P        O        F        D        A
slot_expired     nop      nop      S        nop      nop      nop      nop      nop      nop      nop      nop      nop
launched         nop      nop      S        nop      T        K        nop      nop      nop      nop      nop      nop
launch_failed    nop      nop      SP       nop      TP       KP       UP       nop      nop      nop      nop      nop
exited           nop      nop      P        P        P        P        P        nop      nop      nop      nop      P
swept            nop      nop      nop      nop      IBOF     IBOFD    IBOFD    IBOFD    nop      nop      nop      nop
lost             nop      nop      IBOF     IBOF     IBOF     IBOFD    IBOFD    IBOFD    nop      nop      nop      IBOF
adopted          TA       A        nop      nop      nop      nop      nop      nop      A        A        A        nop
ready            nop      nop      SR       R        nop      nop      nop      nop      nop      nop      nop      R
passed           nop      nop      nop      R        nop      nop      nop      nop      nop      nop      nop      R
faltered         nop      nop      nop      R        nop      nop      nop      nop      nop      nop      nop      nop
liveness_failed  nop      nop      nop      R        nop      nop      nop      nop      nop      nop      nop      A
permitted        I        B        S        RT       T        K        U        P        O        F        D        TA
timer            nop      B        SRT      R        K        U        nop      K        B        BF       nop      RTA
evidence         nop      nop      nop      nop      nop      nop      nop      nop      BO       BF       nop      nop
plan_changed     I        B        S        R        T        K        U        P        BO       BF       nop      A
checks_anew      nop      nop      nop      R        nop      nop      nop      nop      nop      nop      nop      A
)";

inline constexpr std::string_view kNotOwnedTable = R"(
                 Watching Idle     Blocked  Starting Ready    backOff  Failed   Done
desire_up        W        R        B        S        R        BO       BF       BD
desire_hold      W        R        R        S        R        R        R        R
desire_down      W        nop      I        I        I        I        I        I
restart          nop      B        B        S        B        B        B        B
restart_along    nop      nop      nop      nop      BR       nop      nop      nop
deps_ok          W        I        B        S        R        BO       BF       D
deps_lost        W        I        B        S        R        B        F        D
admitted         nop      I        BS       S        R        O        F        D
slot_expired     nop      nop      nop      S        nop      nop      nop      nop
launched         nop      I        B        SR       R        O        F        D
launch_failed    nop      I        B        BSROF    R        O        F        D
exited           nop      nop      nop      BSROFD   BROFD    nop      nop      nop
swept            nop      nop      nop      nop      nop      nop      nop      nop
lost             nop      nop      nop      BSROF    BROF     nop      nop      nop
adopted          nop      nop      nop      nop      nop      nop      nop      nop
ready            W        nop      R        SR       R        R        R        R
passed           W        nop      R        SR       R        R        R        R
faltered         nop      nop      nop      nop      R        nop      nop      nop
liveness_failed  W        nop      nop      nop      R        nop      nop      nop
permitted        nop      I        B        S        BROF     O        F        D
timer            nop      nop      B        BSROF    R        B        BF       nop
evidence         nop      nop      nop      nop      nop      BO       BF       nop
plan_changed     nop      nop      B        S        R        BO       BF       nop
checks_anew      W        nop      nop      nop      R        nop      nop      nop
)";

// The rows: kinds of input, those apart that mean different things by what they carry.
enum class Row : std::uint8_t {
  desire_up, desire_hold, desire_down, restart, restart_along, deps_ok, deps_lost, admitted, slot_expired, launched,
  launch_failed, exited, swept, lost, adopted, ready, passed, faltered, liveness_failed, permitted, timer, evidence,
  plan_changed, checks_anew,
};
inline constexpr std::array<std::string_view, 24> kRowNames = {
    "desire_up", "desire_hold", "desire_down",   "restart", "restart_along", "deps_ok",         "deps_lost", "admitted",
    "slot_expired", "launched", "launch_failed", "exited",  "swept",         "lost",            "adopted",   "ready",
    "passed",    "faltered",    "liveness_failed", "permitted", "timer",     "evidence", "plan_changed", "checks_anew"};
Row row_of(const Input& input);

class LifecycleSet {
 public:
  constexpr void insert(Lifecycle state) { bits_ = static_cast<std::uint16_t>(bits_ | bit(state)); }
  constexpr bool contains(Lifecycle state) const { return (bits_ & bit(state)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(LifecycleSet, LifecycleSet) = default;

 private:
  static constexpr std::uint16_t bit(Lifecycle state) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(state));
  }
  std::uint16_t bits_ = 0;
};

// The letter of a lifecycle in the tables.
constexpr char letter_of(Lifecycle state) { return std::string_view("WIBSRTKUPOFDA")[static_cast<std::size_t>(state)]; }

// One cell. Empty: `nop`.
LifecycleSet cell(bool owned, Lifecycle from, Row row);
// Whether `input` may lead from `from` to `to` under this plan.
bool follows(const Plan& plan, Lifecycle from, const Input& input, Lifecycle to);

}  // namespace azora::healing
