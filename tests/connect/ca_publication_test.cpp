// What a CA says in public over plain HTTP: paths, types, ages, and what is not there.
#include "connect/ca/publication.hpp"
#include "connect/ca/wire.hpp"
#include "tests/connect/ca_office.hpp"

#include <unistd.h>

using namespace pfx;
using namespace pfx::connect;
using namespace pfx::connect::ca;
using namespace pfx::test;

namespace {

struct desk {
  office at;
  http::handler handle = make_publication_handler(*at.ca, "one", at.time);

  [[nodiscard]] http::server_response call(const std::string& method, const std::string& target,
                                           std::map<std::string, std::string> headers = {},
                                           const bytes& body = {}) const {
    http::server_request request;
    request.method = method;
    request.target = target;
    request.headers = std::move(headers);
    request.body = to_text(body);
    return handle(request);
  }
};

} // namespace

TEST_CASE("list, certificate and OCSP have their types, tags and ages", "[ca][publication]") {
  const desk one;
  const auto list = one.call("GET", "/ca/one.crl");
  CHECK(list.status == 200);
  CHECK(list.headers.at("Content-Type") == "application/pkix-crl");
  CHECK(list.headers.at("Cache-Control") == "max-age=300, public, no-transform, must-revalidate");
  CHECK(list.body == to_text(good(one.at.ca->current_crl())->der));
  const auto same
    = one.call("GET", "/ca/one.crl?x=1", {{"if-none-match", list.headers.at("ETag")}});
  CHECK(same.status == 304);
  CHECK(same.body.empty());
  const auto cer = one.call("GET", "/ca/one.cer");
  CHECK(cer.headers.at("Content-Type") == "application/pkix-cert");
  CHECK(cer.body == to_text(one.at.ca->certificate()));
  const auto alice = one.at.issued("alice");
  const auto asked = one.at.request(alice.serial());
  const auto posted
    = one.call("POST", "/ocsp/one", {{"content-type", "application/ocsp-request"}}, asked);
  CHECK(posted.status == 200);
  CHECK(posted.headers.at("Content-Type") == "application/ocsp-response");
  CHECK(posted.headers.at("Cache-Control") == "no-store");
  CHECK(verdict_of(to_bytes(posted.body), asked) == 0x80);
  CHECK(one.at.revoke(alice).status == revoke_status::done);
  CHECK(one.call("GET", "/ca/one.crl", {{"if-none-match", list.headers.at("ETag")}}).status == 200);
}

TEST_CASE("OCSP by GET takes base64 however a client writes it", "[ca][publication]") {
  const desk one;
  const auto alice = one.at.issued("alice");
  const auto asked = one.at.request(alice.serial());
  const auto text = crypto::to_base64(asked);
  std::string escaped, url_safe;
  for (const char c : text) {
    escaped += c == '+' ? "%2B" : c == '/' ? "%2f" : c == '=' ? "%3D" : std::string(1, c);
    url_safe += c == '+' ? "-" : c == '/' ? "_" : c == '=' ? "" : std::string(1, c);
  }
  for (const auto& form : {text, escaped, url_safe}) {
    const auto got = one.call("GET", "/ocsp/one/" + form);
    CHECK(got.status == 200);
    CHECK(verdict_of(to_bytes(got.body), asked) == 0x80);
    CHECK(got.headers.at("Cache-Control").starts_with("max-age=300"));
    CHECK_FALSE(got.headers.at("ETag").empty());
    CHECK(got.headers.at("Last-Modified").ends_with(" GMT"));
  }
  for (const std::string bad : {"%", "%2", "%zz", "!!!!", "AAAA", "=", "MAo", "%00"}) {
    CAPTURE(bad);
    const auto got = one.call("GET", "/ocsp/one/" + bad);
    CHECK(status_of(to_bytes(got.body)) == 1);
    CHECK(got.headers.at("Cache-Control") == "no-store");
  }
  CHECK(status_of(to_bytes(one.call("GET", "/ocsp/one/" + std::string(100'000, 'A')).body)) == 1);
}

TEST_CASE("nothing else is served in public", "[ca][publication]") {
  const desk one;
  for (const auto* path :
       {"/", "", "/ca/two.crl", "/ca/one.key", "/ca/../one.crl", "/ocsp", "/ocsp/two",
        "/ca/CertificateAuthority/revoke", "/ca/one.crl/", "//ca/one.crl"}) {
    CAPTURE(path);
    CHECK(one.call("GET", path).status == 404);
    CHECK(one.call("POST", path).status == 404);
  }
  CHECK(one.call("POST", "/ca/one.crl").status == 405);
  CHECK(one.call("DELETE", "/ca/one.cer").status == 405);
  CHECK(one.call("GET", "/ocsp/one").status == 405);
  CHECK(one.call("PUT", "/ocsp/one/MAo").status == 405);
  CHECK(one.call("POST", "/ocsp/one").status == 415);
  CHECK(one.call("POST", "/ocsp/one", {{"content-type", "application/json"}}).status == 415);
}

TEST_CASE("a CA's name becomes one step of a path", "[ca][publication]") {
  CHECK(publication_name("Sandbox-CA") == "Sandbox-CA");
  CHECK(publication_name("Corp CA/2 \"x\"") == "Corp-CA-2--x-");
  CHECK(publication_name("") == "ca");
  CHECK(publication_name("..") == "ca");
  CHECK(publication_name(std::string(100, 'a')) == std::string(64, 'a'));
}

TEST_CASE("the public place opens before its CA and speaks plain HTTP", "[ca][publication]") {
  office at;
  const auto place = good(publication_point::open({"Test CA", "127.0.0.1", 0, {}, &at.time}));
  const auto get = [&](const std::string& path) {
    const int fd = connect_tcp(place->port());
    send_text(fd, "GET " + path + " HTTP/1.0\r\n\r\n");
    auto out = read_all(fd);
    ::close(fd);
    return out;
  };
  CHECK(get("/ca/Test-CA.crl").starts_with("HTTP/1.1 503"));
  const auto base = "http://127.0.0.1:" + std::to_string(place->port());
  CHECK(place->locations().crl == base + "/ca/Test-CA.crl");
  CHECK(place->locations().ocsp == base + "/ocsp/Test-CA");
  CHECK(place->locations().issuer == base + "/ca/Test-CA.cer");
  place->attach(*at.ca);
  const auto list = get("/ca/Test-CA.crl");
  CHECK(list.starts_with("HTTP/1.1 200"));
  CHECK(list.ends_with(to_text(good(at.ca->current_crl())->der)));
  CHECK(get("/ca/other.crl").starts_with("HTTP/1.1 404"));
  CHECK_FALSE(publication_point::open({"x", "127.0.0.1", 0, "https://x", nullptr}));
  CHECK_FALSE(publication_point::open({"x", "localhost", 0, {}, nullptr}));
}

TEST_CASE("plain HTTP and TLS are never mixed up", "[http][publication]") {
  auto options = tls_server(world().server);
  options.plain_public_data = true;
  const auto handle = [](const http::server_request&) { return http::server_response{}; };
  CHECK(http::server::start(std::move(options), handle).error().field == "plain_public_data");
  http::server_options socket;
  socket.unix_socket = "/nowhere";
  socket.plain_public_data = true;
  CHECK(http::server::start(std::move(socket), handle).error().code == errc::bad_input);
  CHECK_FALSE(http::server::start({}, handle)); // neither a certificate nor the word
}

TEST_CASE("the number of the first list travels with the answer", "[ca][wire]") {
  revoke_answer answer{revoke_status::done, "", 0, 17};
  CHECK(good(wire::decode_revoke_answer(wire::encode_answer(answer))).crl_number == 17);
  answer.crl_number = 0;
  CHECK(wire::encode_answer(answer).find("crlNumber") == std::string::npos);
  CHECK(good(wire::decode_revoke_answer(wire::encode_answer(answer))).crl_number == 0);
  for (const auto* bad : {"-1", "1.5", "\"1\"", "[]", "true"}) {
    const auto got = wire::decode_revoke_answer(
      std::string("{\"value\":{\"status\":\"done\",\"crlNumber\":") + bad + "}}");
    REQUIRE_FALSE(got);
    CHECK(got.error().field == "value.crlNumber");
  }
}
