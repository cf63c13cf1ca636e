// A feed over HTTPS: parts by ranges, and a server that misbehaves in every way.
#include "actors/tasks/https_feed.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>

#include "release/staging.hpp"
#include "tests/catch.hpp"
#include "tests/connect/http_support.hpp"
#include "tests/release/scratch.hpp"

using namespace pfx;
using namespace pfx::test;
using connect::http::server_request;
using connect::http::server_response;

namespace {

constexpr release::version v2{{0, 2, 0}};

/// A static server with ranges; `spoil` may change an answer.
class web {
public:
  using spoiler = std::function<void(const server_request&, server_response&)>;

  explicit web(const maker_room& room, spoiler spoil = {}) : room_(room), spoil_(std::move(spoil)) {
    auto made = connect::http::server::start(
      tls_server(world().server), [this](const server_request& asked) { return answer(asked); });
    REQUIRE(made);
    server_ = std::move(*made);
  }
  [[nodiscard]] std::unique_ptr<release::feed> feed() const {
    auto made = actors::tasks::open_https_feed(
      "https://localhost:" + std::to_string(server_->port()) + "/feed", world().server_root);
    REQUIRE(made);
    return std::move(*made);
  }

private:
  server_response answer(const server_request& asked) const {
    server_response out;
    const auto path = room_.path(asked.target.substr(1));
    if (!std::filesystem::is_regular_file(path)) {
      out.status = 404;
    } else {
      out.body = text_at(path);
      if (const auto range = asked.headers.find("range"); range != asked.headers.end())
        cut(out, range->second);
    }
    if (spoil_)
      spoil_(asked, out);
    return out;
  }
  static void cut(server_response& out, const std::string& range) {
    const auto dash = range.find('-');
    const auto from = std::stoull(range.substr(6, dash - 6));
    const auto to = std::stoull(range.substr(dash + 1));
    if (from >= out.body.size()) {
      out.status = 416;
      out.body.clear();
      return;
    }
    out.status = 206;
    out.headers["Content-Range"] = "bytes " + std::to_string(from) + "-" + std::to_string(to) + "/"
      + std::to_string(out.body.size());
    out.body = out.body.substr(from, to - from + 1);
  }

  const maker_room& room_;
  spoiler spoil_;
  std::unique_ptr<connect::http::server> server_;
};

result<void> fetch_all(release::feed& from, release::staging_folder& into,
                       const release::manifest& of, const std::string& text) {
  for (int step = 0; step < 100; ++step) {
    const auto done = into.advance(from, of, text);
    if (!done)
      return failure(done.error());
    if (*done == release::staging_folder::progress::done)
      return {};
  }
  return failure(errc::internal, "", "no end");
}

} // namespace

TEST_CASE("a release comes over HTTPS in parts, and goes on after a cut", "[actors][release]") {
  const maker_room room;
  std::string package;
  while (package.size() < 2 * release::part_bytes + 99)
    package += std::to_string(package.size());
  const auto of = room.offer(sample_manifest(v2, package), package);
  std::atomic<int> calls{0};
  const web site(room, [&calls](const server_request& asked, server_response& out) {
    if (asked.target.ends_with(".tar") && ++calls == 2)
      out.how.cut_at = 1'000;
  });
  const auto feed = site.feed();
  CHECK(*feed->document("1.root", release::document_bytes_max) == text_at(room.path("first.root")));
  auto staging = release::staging_folder::open(room.path("staging"));
  const auto cut = fetch_all(*feed, *staging, of, room.manifest_text());
  REQUIRE_FALSE(cut);
  CHECK(staging->arrived(of) == release::part_bytes);
  REQUIRE(fetch_all(*feed, *staging, of, room.manifest_text()));
  CHECK(text_at((*staging->current())->package_path) == package);
}

TEST_CASE("what is not there is not found, what is too long is not read", "[actors][release]") {
  const maker_room room;
  room.put("feed/2.root", std::string(release::document_bytes_max + 1, 'x'));
  room.put("feed/3.root", std::string(4 << 20, 'x'));
  const web site(room);
  const auto feed = site.feed();
  CHECK(feed->document("9.root", 100).error().code == errc::not_found);
  CHECK(feed->document("2.root", release::document_bytes_max).error().code == errc::too_large);
  CHECK(feed->document("3.root", release::document_bytes_max).error().code == errc::too_large);
  CHECK(feed->part("9.tar", 0, 10).error().code == errc::not_found);
  CHECK(feed->part("2.root", 1 << 20, 10)->empty()); // behind its end
}

TEST_CASE("wrong ranges, redirects and foreign servers are refused", "[actors][release]") {
  const maker_room room;
  room.put("feed/x", std::string(5'000, 'x'));
  const auto refused = [&room](const web::spoiler& spoil) {
    const web site(room, spoil);
    return !site.feed()->part("x", 100, 1'000).has_value();
  };
  CHECK_FALSE(refused({}));
  CHECK(refused([](const server_request&, server_response& out) {
    out.headers["Content-Range"] = "bytes 0-999/5000";
  }));
  CHECK(refused(
    [](const server_request&, server_response& out) { out.headers.erase("Content-Range"); }));
  CHECK(refused([](const server_request&, server_response& out) { out.status = 200; }));
  CHECK(refused([](const server_request&, server_response& out) {
    out.status = 302;
    out.headers["Location"] = "https://elsewhere.example.test/x";
  }));
  CHECK(refused([](const server_request&, server_response& out) { out.status = 503; }));
  CHECK(refused([](const server_request&, server_response& out) { out.how.silent = true; }));

  CHECK_FALSE(actors::tasks::open_https_feed("http://localhost/feed", ""));
  const web site(room);
  auto foreign = connect::http::server::start(
    tls_server(world().other_name), [](const server_request&) { return server_response{}; });
  REQUIRE(foreign);
  const auto feed = actors::tasks::open_https_feed(
    "https://localhost:" + std::to_string((*foreign)->port()), world().server_root);
  REQUIRE(feed);
  CHECK_FALSE((*feed)->document("1.root", 1'000));
}

TEST_CASE("a call that a server leaves open ends when the feed is cancelled", "[actors][release]") {
  const maker_room room;
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false;
  bool over = false;
  const web site(room, [&](const server_request&, server_response&) {
    std::unique_lock lock(mutex);
    asked = true;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(14), [&] { return over; });
  });
  const auto feed = site.feed();
  auto call = std::async(std::launch::async, [&] { return feed->document("1.root", 1'000); });
  {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return asked; }));
  }
  feed->cancel();
  const auto ended = call.get();
  {
    const std::lock_guard lock(mutex);
    CHECK_FALSE(over);
    over = true;
    changed.notify_all();
  }
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == errc::stopping);
  CHECK(feed->document("1.root", 1'000).error().code == errc::stopping);
  CHECK(feed->part("1.root", 0, 10).error().code == errc::stopping);
}
