// The control socket from both sides, over a real Unix socket, with an engine of cardboard behind
// it.
#include "tests/catch.hpp"

#include <mutex>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "connect/http/client.hpp"
#include "engine/control_json.hpp"
#include "engine/logging.hpp"
#include "engine/status.hpp"
#include "tests/engine/scratch.hpp"

namespace {

using namespace pfx;
using namespace pfx::engine;
using nlohmann::json;

status some_status() {
  status out;
  out.state = health::halted;
  out.halted_by = halt_reason::amnesia;
  out.message = "the store is older than the world";
  out.version = "0.1.0";
  out.connector_id = "connector-7";
  out.epoch = 12;
  out.lifecycle = "supported";
  out.open_requests = 3;
  out.open_by_state = {{"received", 1}, {"working", 2}};
  out.totals.delivered = 41;
  out.totals.commits = 99;
  out.started_at = 1'790'000'000'250;
  out.free_bytes = std::uint64_t{1} << 40;
  out.store_poisoned = true;
  out.secrets_locked = false;
  out.attention = {"one thing", "another"};
  out.master_key_id = "0011223344556677";
  return out;
}

request_summary some_summary(std::string context) {
  request_summary out;
  out.context = std::move(context);
  out.state = "quarantined";
  out.kind = "pfxCreate";
  out.reason = "three attempts";
  out.attempts = 3;
  out.lease_number = 4;
  out.received_at = 1'790'000'000'000;
  return out;
}

order_summary some_order() {
  order_summary out;
  out.context = "o/1 ü";
  out.state = "answered";
  out.serial_number = "4660";
  out.issuer = "CN=Issuer";
  out.authority = "CA";
  out.certificate = "1234";
  out.outcome = "revoked";
  out.reason = "because";
  out.crl_number = "77";
  out.attempts = 2;
  out.hand_outs = 3;
  out.received_at = 1'790'000'000'000;
  out.answered_at = 1'790'000'001'000;
  return out;
}

/// Remembers what it was asked; knows one request.
struct cardboard {
  std::string known = "ctx/1 ü?&#%";
  std::vector<std::string> asked;
  std::mutex guard;

  result<void> act(const std::string& verb, const std::string& context) {
    const std::lock_guard lock(guard);
    asked.push_back(verb + ":" + context);
    if (context == known)
      return {};
    return failure(errc::conflict, "context", "is not put aside");
  }
  control_commands commands() {
    control_commands out;
    out.current = [] { return some_status(); };
    out.requests = [this](const std::string& state, std::size_t count,
                          const std::string& flow) -> result<request_page> {
      const std::lock_guard lock(guard);
      asked.push_back("list:" + state + ":" + std::to_string(count)
                      + (flow.empty() ? "" : ":" + flow));
      if (state == "nonsense")
        return failure(errc::bad_input, "state", "is not a state");
      return request_page{{some_summary("a"), some_summary("b")}, state == "quarantined"};
    };
    out.revocations = [this](const std::string& state, std::size_t count) -> result<order_page> {
      const std::lock_guard lock(guard);
      asked.push_back("orders:" + state + ":" + std::to_string(count));
      return order_page{{some_order()}, true};
    };
    out.decide_revocation = [this](const std::string& context, bool approve) {
      return act(approve ? "approve" : "reject", context);
    };
    out.show
      = [this](const std::string& context, const std::string& flow) -> result<request_timeline> {
      if (context != known || flow == "revocation")
        return failure(errc::not_found, "requestContext", "no request has this context");
      return request_timeline{some_summary(context),
                              {{1'790'000'000'000, 1001, "received", "call-1", "came in", 12}}};
    };
    out.retry = [this](const std::string& context) { return act("retry", context); };
    out.give_up = [this](const std::string& context) { return act("giveUp", context); };
    return out;
  }
};

struct both_sides {
  test::scratch_folder folder;
  cardboard behind;
  std::string socket = folder.path("control.sock");
  control_server server = control_server::start(socket, behind.commands()).value();
  control_client client = control_client::make(socket).value();

  connect::http::response raw(const std::string& method, const std::string& target) {
    connect::http::client_options options;
    options.base_url = "http://localhost";
    options.unix_socket = socket;
    auto http = connect::http::client::make(std::move(options)).value();
    return method == "GET" ? http->get(target).value() : http->post(target, "{}").value();
  }
};

} // namespace

TEST_CASE("a status survives the way over JSON", "[engine][control]") {
  const auto text = to_json(some_status());
  const auto back = status_from_json(text);
  REQUIRE(back);
  CHECK(to_json(*back) == text);
  CHECK(back->state == health::halted);
  CHECK(back->halted_by == halt_reason::amnesia);
  CHECK(back->totals.delivered == 41);
  CHECK(back->totals.commits == 99);
  CHECK(back->open_by_state == some_status().open_by_state);
  CHECK(back->started_at == 1'790'000'000'250);
  CHECK(back->last_poll_at == 0);
  CHECK(back->attention == some_status().attention);
  CHECK(back->master_key_id == some_status().master_key_id);
}

TEST_CASE("a status that is none is refused", "[engine][control]") {
  auto good = json::parse(to_json(some_status()));
  for (const auto* key : {"state", "epoch", "totals", "secretsLocked"}) {
    auto bad = good;
    bad.erase(key);
    CHECK_FALSE(status_from_json(bad.dump()));
  }
  good["state"] = "dreaming";
  CHECK_FALSE(status_from_json(good.dump()));
  for (const auto* text : {"", "[]", "null", "{", "{\"state\":1}"})
    CHECK_FALSE(status_from_json(text));
}

TEST_CASE("the socket answers what the engine says, and is for its user alone",
          "[engine][control]") {
  both_sides both;
  struct stat facts {};
  REQUIRE(::stat(both.socket.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  CHECK(both.client.status_text().value() == to_json(some_status()));
  CHECK(both.client.current().value().connector_id == "connector-7");
  const auto list = both.client.requests("quarantined", 7);
  REQUIRE(list);
  REQUIRE(list->requests.size() == 2);
  CHECK(list->requests[0].reason == "three attempts");
  CHECK(list->requests[0].received_at == 1'790'000'000'000);
  CHECK(list->more);
  CHECK_FALSE(both.client.requests("uploading", 7)->more);
  CHECK(both.behind.asked.front() == "list:quarantined:7");
}

TEST_CASE("a context of any octets finds its request", "[engine][control]") {
  both_sides both;
  const auto& context = both.behind.known;
  const auto shown = both.client.show(context);
  REQUIRE(shown);
  CHECK(shown->summary.context == context);
  REQUIRE(shown->lines.size() == 1);
  CHECK(shown->lines[0].event == 1001);
  CHECK(shown->lines[0].text == "came in");
  REQUIRE(both.client.retry(context));
  CHECK(both.behind.asked.back() == "retry:" + context);
  REQUIRE(both.client.give_up(context));
  CHECK(both.behind.asked.back() == "giveUp:" + context);
}

TEST_CASE("the engine's errors come through with code, field and words", "[engine][control]") {
  both_sides both;
  const auto missing = both.client.show("other");
  REQUIRE_FALSE(missing);
  CHECK(missing.error() == error{errc::not_found, "requestContext", "no request has this context"});
  CHECK(both.client.retry("other").error().code == errc::conflict);
  CHECK(both.client.requests("nonsense", 5).error().code == errc::bad_input);
}

TEST_CASE("calls that are none are refused and change nothing", "[engine][control]") {
  both_sides both;
  CHECK(both.raw("GET", "/").status == 404);
  CHECK(both.raw("GET", "/statusx").status == 404);
  CHECK(both.raw("GET", "/requestsx").status == 404);
  CHECK(both.raw("POST", "/status").status == 400);
  CHECK(both.raw("POST", "/requests").status == 400);
  CHECK(both.raw("POST", "/requests/a").status == 400);
  CHECK(both.raw("GET", "/requests/a/retry").status == 400);
  CHECK(both.raw("POST", "/requests/a/explode").status == 404);
  CHECK(both.raw("POST", "/requests/a/retry/more").status == 404);
  CHECK(both.raw("GET", "/requests/%zz").status == 400);
  CHECK(both.raw("GET", "/requests/%4").status == 400);
  CHECK(both.raw("GET", "/requests/" + std::string(8'193, 'a')).status == 400);
  for (const auto* count : {"0", "1001", "-1", "x", "5x", "99999999999999999999"})
    CHECK(both.raw("GET", "/requests?count=" + std::string(count)).status == 400);
  CHECK(both.behind.asked.empty());
  CHECK(both.raw("GET", "/requests").status == 200);
  CHECK(both.behind.asked.back() == "list::100");
}

TEST_CASE("nobody listening is told as such", "[engine][control]") {
  const test::scratch_folder folder;
  const auto client = control_client::make(folder.path("none.sock"));
  REQUIRE(client);
  const auto answer = client->current();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == errc::unavailable);
  CHECK(answer.error().message.find("pfxengine run") != std::string::npos);
}

TEST_CASE("a socket that is in use is not taken over, one left behind is", "[engine][control]") {
  test::scratch_folder folder;
  cardboard behind;
  const auto path = folder.path("control.sock");
  {
    const auto first = control_server::start(path, behind.commands());
    REQUIRE(first);
    CHECK_FALSE(control_server::start(path, behind.commands()));
    CHECK(control_client::make(path)->current());
  }
  CHECK(control_server::start(path, behind.commands()));
}

TEST_CASE("percent encoding keeps every octet", "[engine][control]") {
  std::string all;
  for (int c = 0; c < 256; ++c)
    all += static_cast<char>(c);
  const auto encoded = detail::percent_encoded(all);
  CHECK(encoded.find_first_of("/?#& \n") == std::string::npos);
  CHECK(detail::percent_decoded(encoded).value() == all);
  for (const auto* bad : {"%", "%1", "%1g", "a%", "%%41"})
    CHECK_FALSE(detail::percent_decoded(bad));
}

TEST_CASE("a log line shows no control character and no second line", "[engine][logging]") {
  event what;
  what.channel = event_channel::admin;
  what.id = 1000;
  what.level = "warning";
  what.at = 1'790'000'000'250;
  what.request_context = "ctx\n[2J\033]0;title\007";
  what.call_id = "call\r\n";
  what.duration_ms = 12;
  what.text = "first\nsecond \"quoted\" \xff";
  for (const auto& line : {text_line(what), json_line(what)})
    for (const char c : line)
      CHECK(static_cast<unsigned char>(c) >= 0x20);
  const auto parsed = json::parse(json_line(what));
  CHECK(parsed.at("channel") == "admin");
  CHECK(parsed.at("event") == 1000);
  CHECK(parsed.at("level") == "warning");
  CHECK(parsed.at("durationMs") == 12);
  CHECK(parsed.at("time") == to_rfc3339(what.at));
  CHECK(text_line(what).starts_with("1000 [ctx"));
}

TEST_CASE("a line without a request or a call has no empty places", "[engine][logging]") {
  event what;
  what.channel = event_channel::system;
  what.level = "info";
  what.text = "started";
  CHECK(text_line(what) == "started");
  const auto parsed = json::parse(json_line(what));
  CHECK(parsed.size() == 4);
  CHECK(parsed.at("channel") == "system");
}

TEST_CASE("revocation orders survive the way over the socket", "[engine][control]") {
  both_sides both;
  const auto found = both.client.revocations("held", 7);
  REQUIRE(found);
  REQUIRE(found->orders.size() == 1);
  CHECK(found->more);
  CHECK(to_json(*found) == to_json(order_page{{some_order()}, true}));
  CHECK(found->orders.front().crl_number == "77");
  CHECK(found->orders.front().answered_at == 1'790'000'001'000);
  CHECK(both.client.requests("", 5, "revocation"));
  CHECK(both.behind.asked == std::vector<std::string>{"orders:held:7", "list::5:revocation"});
  CHECK(both.client.show(both.behind.known, "revocation").error().code == errc::not_found);
}

TEST_CASE("an operator's word reaches the order that it is about", "[engine][control]") {
  both_sides both;
  CHECK(both.client.decide_revocation(both.behind.known, true));
  CHECK(both.client.decide_revocation(both.behind.known, false));
  CHECK(both.client.decide_revocation("other", true).error().code == errc::conflict);
  CHECK(both.behind.asked.size() == 3);
  CHECK(both.behind.asked[0] == "approve:" + both.behind.known);
  CHECK(both.behind.asked[1] == "reject:" + both.behind.known);
}

TEST_CASE("calls about orders that are none are refused and change nothing", "[engine][control]") {
  both_sides both;
  CHECK(both.raw("POST", "/revocations").status == 400);
  CHECK(both.raw("GET", "/revocationsx").status == 404);
  CHECK(both.raw("GET", "/revocations/a").status == 404);
  CHECK(both.raw("GET", "/revocations/a/approve").status == 400);
  CHECK(both.raw("POST", "/revocations/a/explode").status == 404);
  CHECK(both.raw("POST", "/revocations//approve").status == 400);
  CHECK(both.raw("POST", "/revocations/%zz/approve").status == 400);
  CHECK(both.raw("GET", "/revocations?count=0").status == 400);
  CHECK(both.behind.asked.empty());
}
