// Requests of restart callables on their way to the program around us, and their results.
#include <gtest/gtest.h>

#include <thread>

#include "actions/heard.hpp"
#include "azora/actions/callable.hpp"

namespace azora::actions {
namespace {

ActionRequest request_of(const std::string& id, Run run) {
  auto spec = std::make_shared<ServiceSpec>();
  spec->id = id;
  spec->action = &kCallableAction;
  return {.run = run, .spec = std::move(spec), .attempt = 1, .cause = "liveness"};
}

TEST(CallableAction, HandsOutRequestsInTheirOrder) {
  CallableAction action;
  action.start(request_of("a", {1, 1}));
  action.start(request_of("b", {2, 1}));
  EXPECT_EQ(action.next(Millis(0)).value().run, (actions::Run{1, 1}));
  EXPECT_EQ(action.next(Millis(0)).value().run, (actions::Run{2, 1}));
  EXPECT_FALSE(action.next(Millis(0)).has_value());
}

TEST(CallableAction, ANewerRequestOfAServiceTakesThePlaceOfOneThatWaits) {
  CallableAction action;
  action.start(request_of("a", {1, 1}));
  action.start(request_of("b", {2, 1}));
  action.start(request_of("a", {3, 7}));  // registered anew
  EXPECT_EQ(action.next(Millis(0)).value().run, (actions::Run{3, 7}));
  EXPECT_EQ(action.next(Millis(0)).value().run, (actions::Run{2, 1}));
  EXPECT_FALSE(action.next(Millis(0)).has_value());
}

TEST(CallableAction, NothingIsDoneForAServiceThatIsNotRegisteredAnyMore) {
  CallableAction action;
  action.start(request_of("a", {1, 1}));
  action.start(request_of("b", {2, 1}));
  action.forget(1);
  EXPECT_EQ(action.next(Millis(0)).value().run, (actions::Run{2, 1}));
}

TEST(CallableAction, ItsResultIsToldToTheListener) {
  CallableAction action;
  Heard heard;
  action.set_listener(&heard);
  action.done({4, 2}, {});
  action.done({5, 1}, {.ok = false, .reason = "it raised"});
  EXPECT_EQ(heard.lines, (std::vector<std::string>{"4.2 done", "5.1 refused: it raised"}));
}

TEST(CallableAction, CloseEndsAWaitAndNothingIsHandedOutAnyMore) {
  CallableAction action;
  std::thread waiting([&] { EXPECT_FALSE(action.next(Millis(3'600'000)).has_value()); });
  action.close();
  waiting.join();
  action.start(request_of("a", {1, 1}));
  EXPECT_FALSE(action.next(Millis(0)).has_value());
}

}  // namespace
}  // namespace azora::actions
