// A caller is answered whatever becomes of its call, and nothing opens behind the end.
#include "azora/orchestrator/call_gate.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "azora/base/asio_loop.hpp"

namespace azora::orchestrator {
namespace {

using Answer = Result<std::string>;

class PromiseTest : public testing::Test {
 protected:
  std::shared_ptr<Promise<Answer>> make() {
    return std::make_shared<Promise<Answer>>([this](Answer answer) { answers.push_back(std::move(answer)); });
  }

  std::vector<Answer> answers;
};

TEST_F(PromiseTest, IsKeptOnce) {
  auto promise = make();
  promise->keep(std::string("first"));
  promise->keep(std::string("second"));
  promise.reset();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].value(), "first");
}

TEST_F(PromiseTest, OneThatIsDroppedAnswersInternal) {
  make().reset();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code, ErrorCode::internal);
}

TEST_F(PromiseTest, ATaskThatThrowsAnswersInternal) {
  AsioLoop loop;
  loop.post([promise = make()] { throw std::runtime_error("no memory"); });
  loop.post([&loop] { loop.stop(); });
  loop.run();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code, ErrorCode::internal);
}

TEST_F(PromiseTest, ATaskThatNeverRanAnswersInternalWithItsLoop) {
  {
    AsioLoop loop;
    loop.post([promise = make()] { promise->keep(std::string("ran")); });
  }
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code, ErrorCode::internal);
}

TEST(OpenOnce, OpensOnceAndSaysSoAtTheEnd) {
  OpenOnce opening;
  int opened = 0;
  const auto body = [&opened]() -> Result<void> {
    ++opened;
    return {};
  };
  EXPECT_TRUE(opening.open(body).ok());
  EXPECT_TRUE(opening.open(body).ok());
  EXPECT_EQ(opened, 1);
  EXPECT_TRUE(opening.close());
}

TEST(OpenOnce, TriesAgainAfterAFailure) {
  OpenOnce opening;
  EXPECT_FALSE(opening.open([]() -> Result<void> { return Error{ErrorCode::limit_reached, "no threads", {}}; }).ok());
  EXPECT_TRUE(opening.open([]() -> Result<void> { return {}; }).ok());
}

TEST(OpenOnce, ACallThatCameInBeforeTheEndOpensNothingBehindIt) {
  OpenOnce opening;
  EXPECT_FALSE(opening.close());
  const Result<void> late = opening.open([]() -> Result<void> {
    ADD_FAILURE() << "opened behind the end";
    return {};
  });
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::closed);
}

}  // namespace
}  // namespace azora::orchestrator
