// One owner, and owners that die: with real processes and a real SIGKILL. The children are this
// program again, running one of the hidden cases below.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/store.hpp"
#include "tests/storage/scratch.hpp"

using namespace scratch;

namespace {

constexpr int answer_fd = 3; ///< of the child: numbers, eight octets each
constexpr const char* directory_variable = "PFX_TEST_STORE";

/// This test program, started anew with one hidden case. Killed at the end at the latest.
class child {
public:
  child(const std::string& test_case, const fs::path& store) {
    int answers[2];
    int orders[2];
    REQUIRE(::pipe2(answers, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(orders, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    REQUIRE(::posix_spawn_file_actions_init(&actions) == 0);
    ::posix_spawn_file_actions_adddup2(&actions, orders[0], 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (answers[1] == answer_fd) { // dup2 on itself would leave it to be closed
      REQUIRE(::fcntl(answers[1], F_SETFD, 0) == 0);
    } else {
      ::posix_spawn_file_actions_adddup2(&actions, answers[1], answer_fd);
    }
    std::string self = "/proc/self/exe";
    std::string name = test_case;
    char* arguments[] = {self.data(), name.data(), nullptr};
    ::setenv(directory_variable, store.c_str(), 1);
    const int spawned = ::posix_spawn(&pid_, self.c_str(), &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(answers[1]);
    ::close(orders[0]);
    answers_ = answers[0];
    orders_ = orders[1];
    REQUIRE(spawned == 0);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    kill();
    ::close(answers_);
    if (orders_ >= 0) {
      ::close(orders_);
    }
  }

  /// The next number the child sent; false if it is dead and all were read.
  bool next(std::uint64_t& number) {
    return ::read(answers_, &number, sizeof number) == static_cast<ssize_t>(sizeof number);
  }
  void kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

private:
  pid_t pid_ = -1;
  int answers_ = -1;
  int orders_ = -1;
};

void answer(std::uint64_t number) {
  REQUIRE(::write(answer_fd, &number, sizeof number) == static_cast<ssize_t>(sizeof number));
}

fs::path told() {
  const char* path = std::getenv(directory_variable);
  REQUIRE(path != nullptr);
  return path;
}

/// Blocks until the parent is gone or closes its end.
void wait_for_the_end() {
  char octet = 0;
  while (::read(0, &octet, 1) > 0) {}
}

} // namespace

TEST_CASE("child: writes until it is killed", "[.][writer]") {
  const auto s = opened(options(told()));
  for (std::uint64_t at = 0; at < 1'000'000; ++at) {
    auto value = open_record(key(at));
    value.arrival = at;
    REQUIRE(s->commit({put_record{value}, put_trail{key(at), line("x")},
                       put_blob{key(at), blob_kind::request, bytes(at % 700, 'b')}}));
    answer(at);
  }
}

TEST_CASE("child: owns until it is told to go", "[.][owner]") {
  const auto s = opened(options(told()));
  answer(1);
  wait_for_the_end();
}

TEST_CASE("whatever was acknowledged before kill -9 is there afterwards", "[storage][owner]") {
  directory in(in_memory()); // kill -9 takes nothing from the page cache; the rest is sync_test.cpp
  std::uint64_t acknowledged = 0; // numbers below this one
  for (int life = 0; life < 3; ++life) {
    child writer("[writer]", in.store());
    std::uint64_t number = 0;
    for (int count = 0; count < 150 + life * 37; ++count) {
      REQUIRE(writer.next(number));
    }
    writer.kill();
    while (writer.next(number)) {}
    acknowledged = std::max(acknowledged, number + 1);
    const auto s = opened(in);
    CHECK(s->status().unclean_start);
    for (std::uint64_t at = 0; at < acknowledged; ++at) {
      const auto found = s->find_record(key(at)).value();
      REQUIRE(found);
      REQUIRE(found->arrival == at);
      REQUIRE(s->find_blob(key(at), blob_kind::request).value() == bytes(at % 700, 'b'));
      REQUIRE(!s->trail(key(at)).value().empty());
    }
    // At most the one batch that was under way is more than that, and it is whole.
    CHECK(!s->find_record(key(acknowledged + 1)).value());
    const auto last = s->find_record(key(acknowledged)).value();
    CHECK(s->find_blob(key(acknowledged), blob_kind::request).value().has_value()
          == last.has_value());
  }
}

TEST_CASE("a second process is refused at once and told who has the store", "[storage][owner]") {
  directory in;
  child owner("[owner]", in.store());
  std::uint64_t ready = 0;
  REQUIRE(owner.next(ready));
  const auto begin = std::chrono::steady_clock::now();
  const auto refused = store::open(options(in.store()));
  const auto took = std::chrono::steady_clock::now() - begin;
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::store_locked);
  const auto named = "process " + std::to_string(owner.pid());
  CHECK(refused.error().message.find(named) != std::string::npos);
  CHECK(took < std::chrono::seconds(1));
  owner.kill();
  CHECK(opened(in)->status().unclean_start);
}

TEST_CASE("a second store in the same process is refused as well", "[storage][owner]") {
  directory in;
  auto s = opened(in);
  const auto refused = store::open(options(in.store()));
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::store_locked);
  REQUIRE(s->commit({put_meta{"still", octets("1")}}));
  s.reset();
  CHECK(opened(in)->meta("still").value());
}

TEST_CASE("a directory is made for its owner alone, whatever the umask", "[storage][owner]") {
  directory in;
  const auto before = ::umask(0);
  const auto path = in.root() / "deep" / "er" / "store";
  auto made = store::open(options(path));
  ::umask(before);
  REQUIRE(made);
  for (const auto& each : {path, path / "db", path.parent_path()}) {
    struct stat found {};
    REQUIRE(::stat(each.c_str(), &found) == 0);
    CHECK((found.st_mode & 07777) == 0700);
  }
}

TEST_CASE("a directory that others can enter is refused, with the command that helps",
          "[storage][owner]") {
  directory in;
  REQUIRE(opened(in)->close_clean());
  for (const mode_t mode : {0750, 0701, 0770, 0777, 0704}) {
    REQUIRE(::chmod(in.store().c_str(), mode) == 0);
    const auto refused = store::open(options(in.store()));
    REQUIRE(!refused);
    CHECK(refused.error().code == errc::bad_input);
    CHECK(refused.error().message.find("chmod 700 " + in.store().string()) != std::string::npos);
  }
  REQUIRE(::chmod(in.store().c_str(), 0700) == 0);
  CHECK(opened(in));
}

TEST_CASE("what is no empty directory does not become a store", "[storage][owner]") {
  directory in;
  const auto path = in.store();
  SECTION("a file") {
    write_file(path, "text");
    CHECK(store::open(options(path)).error().code == errc::io);
  }
  SECTION("a directory with foreign files") {
    fs::create_directory(path);
    fs::permissions(path, fs::perms::owner_all);
    write_file(path / "thesis.txt", "text");
    CHECK(store::open(options(path)).error().code == errc::bad_input);
    CHECK(file_text(path / "thesis.txt") == "text");
    CHECK(!fs::exists(path / "db"));
  }
  SECTION("no name") { CHECK(store::open(options("")).error().code == errc::bad_input); }
}

TEST_CASE("a missing store is not made if that was not wanted", "[storage][owner]") {
  directory in;
  auto with = options(in.store());
  with.create_if_missing = false;
  CHECK(store::open(with).error().code == errc::not_found);
  CHECK(!fs::exists(in.store()));
  fs::create_directory(in.store());
  fs::permissions(in.store(), fs::perms::owner_all);
  CHECK(store::open(with).error().code == errc::not_found);
  CHECK(!fs::exists(in.database()));
  REQUIRE(opened(in)->close_clean());
  CHECK(store::open(with));
}
