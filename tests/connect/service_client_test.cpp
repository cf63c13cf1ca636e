// The typed client: what it sends, and what each HTTP status means to its caller.
#include "tests/catch.hpp"

#include <algorithm>

#include "connect/service/breaking_client.hpp"
#include "connect/service/client.hpp"
#include "connect/service/codec.hpp"
#include "tests/connect/http_support.hpp"
#include "tests/connect/service_samples.hpp"

using namespace pfx;
using namespace pfx::connect::service;
using namespace pfx::test;

namespace {

/// What a check-in ends with when the service answers so.
answer<check_in_answer> check_in(const std::string& raw) {
  scripted_server server(says(raw));
  auto service = make_client(unix_client(server.path()));
  REQUIRE(service.has_value());
  return (*service)->check_in(sample_caller(), {"0.1.0", {}, false, "{}"});
}

std::string status(int code, const std::string& body, const std::string& headers = {}) {
  std::string out = http_answer(body, headers);
  return out.replace(9, 6, std::to_string(code) + " Word");
}

call_error fails(const std::string& raw) {
  auto got = check_in(raw);
  REQUIRE_FALSE(got.has_value());
  return got.error();
}

std::string header_of(const std::string& request, const std::string& name) {
  auto at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos)
    return {};
  at += name.size() + 4;
  return request.substr(at, request.find("\r\n", at) - at);
}

} // namespace

TEST_CASE("each call goes to its own address with its own body", "[service][client]") {
  std::vector<std::string> seen;
  std::vector<std::string> answers
    = {encode_check_in_answer({{}, "", {}, {}, "supported"}),
       encode_download_answer({encode_request(sample_create(), 1, 60'000)}, true),
       encode_renew_leases_answer({{"ctx-1", true}}),
       encode_upload_answer({{"ctx-1", upload_status::rejected, {}, "no"}}),
       encode_query_answer({{{"ctx-1", query_state::open, 1, {}}}, false}),
       encode_query_answer({{}, true}),
       encode_renew_answer(sample_der()),
       encode_import_keys_answer()};
  scripted_server server([&](int fd) {
    for (std::string text = read_message(fd); !text.empty(); text = read_message(fd)) {
      seen.push_back(text);
      send_text(fd, http_answer(answers.at(seen.size() - 1)));
    }
  });
  {
    auto made = make_client(unix_client(server.path()));
    auto& service = **made;
    caller who = sample_caller();
    CHECK(service.check_in(who, {"0.1.0", {}, false, "{}"})->lifecycle == "supported");
    auto batch = service.download(who, {10, {request_kind::pfx_create}, 60'000});
    REQUIRE(batch.has_value());
    CHECK(*batch->offers.at(0).request == sample_create());
    CHECK(batch->more);
    CHECK(service.renew_leases(who, 60'000, {{"ctx-1", 1}})->at(0).held);
    CHECK(service.upload(who, {{"ctx-1", 1, sample_digest(), {1}}})->at(0).message == "no");
    CHECK(service.query(who, {"ctx-1"})->at(0).state == query_state::open);
    CHECK(service.query_handed_to_me(who, "")->more);
    CHECK(*service.renew_certificate(who, sample_der()) == sample_der());
    CHECK(*service.import_keys(who, {{"p", "k", sample_der()}}));
  }
  CHECK(server.connections() == 1);
  const std::vector<std::string> addresses
    = {"Connectors/checkIn", "PfxRequests/download", "PfxRequests/renewLeases",
       "PfxRequests/upload", "PfxRequests/query",    "PfxRequests/query",
       "Connectors/renew",   "Connectors/importKeys"};
  REQUIRE(seen.size() == addresses.size());
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CHECK(seen[i].starts_with("POST /" + addresses[i] + " HTTP/1.1\r\n"));
    CHECK(header_of(seen[i], "api-version") == "2026-11-01");
    CHECK(header_of(seen[i], "Content-Type") == "application/json; charset=utf-8");
    auto who = decode_caller(seen[i].substr(seen[i].find("\r\n\r\n") + 4));
    CHECK(who.has_value());
    std::string id = header_of(seen[i], "client-request-id");
    CHECK(id.size() == 36);
    CHECK(id[14] == '4');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
    CHECK(std::find(ids.begin(), ids.end(), id) == ids.end());
    ids.push_back(id);
  }
}

TEST_CASE("each status means one thing", "[service][client]") {
  std::string body = encode_error("someCode", "some words");
  for (auto [code, means] : std::vector<std::pair<int, errc>>{{400, errc::bad_input},
                                                              {401, errc::unauthorized},
                                                              {403, errc::unauthorized},
                                                              {404, errc::bad_input},
                                                              {405, errc::bad_input},
                                                              {408, errc::unavailable},
                                                              {409, errc::conflict},
                                                              {413, errc::too_large},
                                                              {418, errc::bad_input},
                                                              {429, errc::unavailable},
                                                              {500, errc::unknown_outcome},
                                                              {502, errc::unknown_outcome},
                                                              {503, errc::unavailable},
                                                              {504, errc::unknown_outcome},
                                                              {599, errc::unknown_outcome}}) {
    INFO(code);
    call_error said = fails(status(code, body));
    CHECK(said.what.code == means);
    CHECK(said.what.message.find("someCode: some words") != std::string::npos);
    CHECK(said.what.message.find("client-request-id") != std::string::npos);
    CHECK(said.retry_after_ms == 0);
    CHECK(said.highest_epoch == 0);
  }
}

TEST_CASE("after a refusal of who we are the next call shows it on a new connection",
          "[service][client]") {
  for (const int refusal : {401, 403, 400}) {
    int seen = 0;
    scripted_server server([&](int fd) {
      for (std::string text = read_message(fd); !text.empty(); text = read_message(fd))
        send_text(fd,
                  seen++ == 0 ? status(refusal, encode_error("no", "not you"))
                              : http_answer(encode_import_keys_answer()));
    });
    {
      auto made = make_client(unix_client(server.path()));
      auto& service = **made;
      CHECK_FALSE(service.import_keys(sample_caller(), {}));
      CHECK(service.import_keys(sample_caller(), {}));
    }
    CHECK(server.connections() == (refusal == 400 ? 1 : 2));
  }
}

TEST_CASE("each call through the breaker is told, with its fault", "[service][client]") {
  std::vector<errc> heard;
  int seen = 0;
  scripted_server server([&](int fd) {
    for (std::string text = read_message(fd); !text.empty(); text = read_message(fd))
      send_text(fd, seen++ == 0 ? status(401, "{}") : http_answer(encode_import_keys_answer()));
  });
  {
    const auto service = with_breaker(
      std::move(*make_client(unix_client(server.path()))), system_clock(), [] { return 7u; },
      [&heard](const call_error* fault) {
        heard.push_back(fault == nullptr ? errc::none : fault->what.code);
      });
    CHECK_FALSE(service->import_keys(sample_caller(), {}));
    CHECK(service->import_keys(sample_caller(), {}));
  }
  CHECK(heard == std::vector<errc>{errc::unauthorized, errc::none});
}

TEST_CASE("Retry-After reaches the caller", "[service][client]") {
  CHECK(fails(status(429, "{}", "Retry-After: 30\r\n")).retry_after_ms == 30'000);
  CHECK(fails(status(503, "", "Retry-After: 0\r\n")).retry_after_ms == 0);
  CHECK(fails(status(503, "", "Retry-After: never\r\n")).retry_after_ms == 0);
}

TEST_CASE("a stale epoch is told with the highest", "[service][client]") {
  call_error said = fails(status(409, encode_error("staleEpoch", "old", 41)));
  CHECK(said.what.code == errc::stale_epoch);
  CHECK(said.highest_epoch == 41);
  CHECK(fails(status(409, encode_error("staleEpoch", "old"))).what.code == errc::stale_epoch);
  CHECK(fails(status(500, encode_error("staleEpoch", "old", 41))).what.code
        == errc::unknown_outcome);
}

TEST_CASE("redirects are refused, also by a friendly body", "[service][client]") {
  for (int code : {300, 301, 302, 303, 307, 308, 304}) {
    call_error said
      = fails(status(code, code == 304 ? "" : "{\"value\":{\"lifecycle\":\"supported\"}}",
                     "Location: http://localhost/other\r\n"));
    CHECK(said.what.code == errc::bad_input);
    CHECK(said.what.message.find("redirects are refused") != std::string::npos);
  }
}

TEST_CASE("a refusal whose body is odd is still a refusal", "[service][client]") {
  for (const char* body : {"", "<html>", "null", "[]", "{\"error\":7}", "{\"error\":{}}",
                           "{\"error\":{\"code\":7,\"message\":[]}}",
                           "{\"error\":{\"code\":\"staleEpoch\",\"highestEpoch\":\"7\"}}", "\xff"})
    CHECK(fails(status(400, body)).what.code == errc::bad_input);
  std::string ugly = encode_error("a\x1b[31m", std::string(5'000, 'x') + "\n");
  call_error said = fails(status(400, ugly));
  CHECK(said.what.message.size() < 600);
  CHECK(said.what.message.find('\x1b') == std::string::npos);
}

TEST_CASE("a success that is not the protocol's is bad input", "[service][client]") {
  for (const char* body : {"", "<html><body>Please sign in</body></html>", "{}", "{\"value\":[]}",
                           "{\"value\":{\"lifecycle\":\"supported\"}"})
    CHECK(fails(http_answer(body, "Content-Type: text/html\r\n")).what.code == errc::bad_input);
}

TEST_CASE("the transport's ends keep their meaning", "[service][client]") {
  CHECK(fails("").what.code == errc::unknown_outcome);
  CHECK(fails("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}").what.code
        == errc::unknown_outcome);
  scratch folder;
  auto service = make_client(unix_client(folder.path("none")));
  auto got = (*service)->query(sample_caller(), {"a"});
  CHECK(got.error().what.code == errc::unavailable);
  (*service)->cancel();
  CHECK((*service)->query(sample_caller(), {"a"}).error().what.code == errc::stopping);
  CHECK(make_client({}).error().field == "base_url");
}

TEST_CASE("registering needs no certificate and gives one", "[service][client]") {
  std::string seen;
  scripted_server server([&](int fd) {
    seen = read_message(fd);
    send_text(fd,
              http_answer(encode_register_answer({"connector-1", sample_der(), {sample_der(2)}})));
  });
  register_order order{"code-1", "connector", "machine", "0.1.0", {}, sample_der()};
  auto got = register_connector(unix_client(server.path()), order);
  REQUIRE(got.has_value());
  CHECK(got->connector_id == "connector-1");
  CHECK(seen.starts_with("POST /Connectors/register "));
  CHECK(decode_register(seen.substr(seen.find("\r\n\r\n") + 4))->code == "code-1");
  CHECK(register_connector({}, order).error().what.code == errc::bad_input);
}

TEST_CASE("over TLS the service sees the connector's certificate", "[service][client][tls]") {
  bytes shown;
  auto server = connect::http::server::start(
    tls_server(world().server), [&](const connect::http::server_request& in) {
      shown = to_bytes(in.from.certificate_der);
      return connect::http::server_response{200, {}, encode_query_answer({{}, false})};
    });
  REQUIRE(server.has_value());
  auto service = make_client(tls_client(**server, &world().client));
  CHECK((*service)->query(sample_caller(), {"a"}).has_value());
  CHECK(shown == world().client.certificate_der);
  auto foreign = make_client(tls_client(**server, &world().foreign_client));
  CHECK((*foreign)->query(sample_caller(), {"a"}).error().what.code == errc::unauthorized);
}
