#include "azora/registry/address_book.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "azora/model/spec_parser.hpp"

namespace azora::registry {
namespace {

std::vector<SpecPtr> parsed(const std::string& text) {
  Result<std::vector<SpecPtr>> specs = parse_service(text, {.origin = Origin::file});
  EXPECT_TRUE(specs.ok()) << (specs.ok() ? "" : specs.error().message);
  return specs ? std::move(specs).value() : std::vector<SpecPtr>();
}

std::vector<SpecPtr> process(const std::string& id, const std::string& endpoint, int replicas = 1) {
  const std::string more = replicas > 1 ? ",\"replicas\":" + std::to_string(replicas) : "";
  return parsed(R"({"id":")" + id + R"(","type":"core","endpoint":")" + endpoint + R"(","process":{"argv":["true"])" + more +
                "}}");
}

SpecPtr with_url_alone(const std::string& id, const std::string& endpoint) {
  return parsed(R"({"id":")" + id + R"(","type":"core","endpoint":")" + endpoint + "\"}").front();
}

std::vector<SpecPtr> operator+(std::vector<SpecPtr> a, const std::vector<SpecPtr>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void put(AddressBook& book, const std::vector<SpecPtr>& services) {
  for (const SpecPtr& one : services) book.put(one);
}

TEST(AddressBook, Rule52NamesBothServicesAndTheAddress) {
  const AddressBook book;
  const Result<void> done = book.check(process("a", "http://127.0.0.1:7001") + process("b", "http://localhost:7001/api"));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::invalid_spec);
  EXPECT_EQ(done.error().message,
            "endpoint: is \"http://localhost:7001/api\" of service \"b\", which is also the address of service "
            "\"a\" (\"http://127.0.0.1:7001\"); two processes cannot listen on one address; give one of them another port");
}

TEST(AddressBook, Rule52IsAboutProcessesAlone) {
  AddressBook book;
  put(book, process("a", "http://127.0.0.1:7001"));
  EXPECT_TRUE(book.check(std::vector<SpecPtr>{with_url_alone("u", "http://127.0.0.1:7001"), with_url_alone("v", "http://127.0.0.1:7001")}).ok());
  EXPECT_TRUE(book.check(process("b", "http://10.0.0.1:7001") + process("c", "http://10.0.0.1:7001")).ok());
  EXPECT_TRUE(book.check(process("b", "http://127.0.0.1:7002")).ok());
  EXPECT_FALSE(book.check(process("b", "tcp://127.0.0.1:7001")).ok());
}

TEST(AddressBook, Rule52CountsThePortsOfReplicas) {
  AddressBook book;
  put(book, process("web", "http://127.0.0.1:7001", 3));
  const Result<void> done = book.check(process("other", "http://127.0.0.1:7003"));
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().message.find("\"web@2\""), std::string::npos) << done.error().message;
  EXPECT_TRUE(book.check(process("other", "http://127.0.0.1:7004")).ok());
  const std::vector<AddressBook::Conflict> both = book.conflicts(process("api", "http://127.0.0.1:7002", 4));
  ASSERT_EQ(both.size(), 2U);  // 7002 and 7003
  EXPECT_EQ(both.front().service->id, "api@0");
}

TEST(AddressBook, AnEntryGivesUpWhatItHadWhenItIsOverwritten) {
  AddressBook book;
  put(book, process("web", "http://127.0.0.1:7001", 2));
  put(book, process("api", "http://127.0.0.1:7100"));
  EXPECT_TRUE(book.check(process("web", "http://127.0.0.1:7002", 2)).ok());
  // They change places.
  EXPECT_TRUE(book.check(process("web", "http://127.0.0.1:7100") + process("api", "http://127.0.0.1:7001")).ok());
  EXPECT_FALSE(book.check(process("new", "http://127.0.0.1:7002")).ok());
  for (const SpecPtr& one : process("web", "http://127.0.0.1:7001", 2)) book.erase(*one);
  EXPECT_TRUE(book.check(process("new", "http://127.0.0.1:7002")).ok());
  EXPECT_FALSE(book.check(process("new", "http://127.0.0.1:7100")).ok());
}

TEST(AddressBook, Rule52OurOwnAddressIsNobodyElses) {
  AddressBook book;
  book.set_own("127.0.0.1", 5000);
  const Result<void> done = book.check(process("a", "http://localhost:5000"));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message,
            "endpoint: is \"http://localhost:5000\" of service \"a\", which is also the orchestrator's own address "
            "(127.0.0.1:5000); give the service another port, or serve on another one with --port");
  EXPECT_TRUE(book.check(process("a", "http://[::1]:5000")).ok());
  EXPECT_TRUE(book.check(process("a", "http://127.0.0.1:5001")).ok());
  EXPECT_FALSE(book.check(std::vector<SpecPtr>{with_url_alone("us", "http://127.0.0.1:5000")}).ok())
      << "our own answer would be believed for it";
  EXPECT_TRUE(book.check(std::vector<SpecPtr>{with_url_alone("other", "http://127.0.0.1:5001")}).ok());
  book.set_own("::", 5000);
  EXPECT_FALSE(book.check(process("a", "http://[::1]:5000")).ok());
  book.set_own("10.1.2.3", 5000);
  EXPECT_TRUE(book.check(process("a", "http://127.0.0.1:5000")).ok());
  book.set_own("127.0.0.1", 0);
  EXPECT_TRUE(book.check(process("a", "http://127.0.0.1:5000")).ok());
}

TEST(AddressBook, WhoIsWhereWeWouldListenIsNamed) {
  std::vector<SpecPtr> fleet = process("a", "http://127.0.0.1:5000");
  fleet.push_back(with_url_alone("b", "http://localhost:5000"));
  fleet.push_back(with_url_alone("c", "http://127.0.0.1:5002"));
  const std::vector<AddressBook::Conflict> found = AddressBook().conflicts_with("0.0.0.0", 5000, fleet);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].service->id, "a");
  EXPECT_EQ(found[1].service->id, "b");
  EXPECT_TRUE(AddressBook().conflicts_with("127.0.0.1", 5001, fleet).empty());
  EXPECT_TRUE(AddressBook().conflicts_with("::1", 5000, process("a", "http://127.0.0.1:5000")).empty());
}

TEST(AddressBook, Rule52ComparesTheNamesThatItWasTold) {
  AddressBook book;
  const std::vector<SpecPtr> both = process("a", "http://shop:7001") + process("b", "http://127.0.0.1:7001");
  EXPECT_TRUE(book.check(both).ok());
  book.know({{"shop", local_address("127.0.0.1")}, {"elsewhere", std::nullopt}});
  const Result<void> done = book.check(both);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message,
            "endpoint: is \"http://127.0.0.1:7001\" of service \"b\", which is also the address of service \"a\" "
            "(\"http://shop:7001\"); in /etc/hosts \"shop\" is an address of this machine; two processes cannot listen "
            "on one address; give one of them another port");
  EXPECT_TRUE(book.check(process("a", "http://elsewhere:7001") + process("b", "http://127.0.0.1:7001")).ok());
  book.set_own("127.0.0.1", 5000);
  EXPECT_FALSE(book.check(std::vector<SpecPtr>{with_url_alone("u", "http://shop:5000")}).ok());
  // What is in the book stays there, whatever its name stands for by now.
  put(book, process("a", "http://shop:7001"));
  book.know({{"shop", std::nullopt}});
  EXPECT_FALSE(book.check(process("b", "http://127.0.0.1:7001")).ok());
  EXPECT_TRUE(book.check(process("b", "http://shop:7001")).ok());
}

}  // namespace
}  // namespace azora::registry
