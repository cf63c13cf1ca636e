// The frozen result document: golden, round, and refused when anything in it is wrong; and what
// texts of ours cannot spoil.
#include "tests/catch.hpp"

#include <nlohmann/json.hpp>

#include "connect/service/codec.hpp"
#include "tests/connect/service_samples.hpp"

using namespace pfx;
using namespace pfx::connect::service;
using namespace pfx::test;
using nlohmann::json;

TEST_CASE("a result document is golden and the same every time", "[service][result]") {
  std::string text = to_text(encode_result_document(sample_success()));
  CHECK(text
        == R"({"succeeded":true,"encryptedPfxBlob":"AQID","deliveries":[{"recipientId":"r-1",)"
           R"("encryptedPfxPassword":"BA=="},{"recipientId":"r-2","encryptedPfxPassword":"BQY="}],)"
           R"("certificate":{"certificate":"MAMCAQE=","chain":["MAMCAQI="],"thumbprint":")"
          + to_hex(sample_digest())
          + R"(","serialNumber":"0a1b","issuer":"CN=Corp CA","notBefore":"2026-11-01T12:00:00Z",)"
            R"("notAfter":"2026-11-01T12:00:01Z"}})");
  CHECK(to_text(encode_result_document(sample_failure()))
        == R"({"succeeded":false,"errorCode":4006,"errorMessage":"kind: is not supported: )"
           R"(\"pfxRenew\"","retryable":false})");
  CHECK(encode_result_document(sample_success()) == encode_result_document(sample_success()));
}

TEST_CASE("a result document comes back as it was", "[service][result]") {
  request_result import = sample_success();
  import.certificate.reset();
  for (const request_result& value : {sample_success(), sample_failure(), import}) {
    auto got = decode_result_document(encode_result_document(value));
    REQUIRE(got.has_value());
    CHECK(*got == value);
  }
}

TEST_CASE("a result document with a field missing or wrong is refused by name",
          "[service][result]") {
  for (const request_result& value : {sample_success(), sample_failure()}) {
    json right = json::parse(to_text(encode_result_document(value)));
    json flat = right.flatten();
    for (const auto& [pointer, ignored] : flat.items()) {
      for (const json& bad : {json(), json(1.5), json::object(), json(-7)}) {
        INFO(pointer << " = " << bad.dump());
        json document = right;
        document[json::json_pointer(pointer)] = bad;
        auto got = decode_result_document(to_bytes(document.dump()));
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().code == errc::bad_input);
      }
    }
  }
  json many = json::parse(to_text(encode_result_document(sample_success())));
  while (many["deliveries"].size() <= 64)
    many["deliveries"].push_back(many["deliveries"][0]);
  CHECK(decode_result_document(to_bytes(many.dump())).error().field == "deliveries");
}

TEST_CASE("error codes of tomorrow keep their class", "[service][result]") {
  json document = json::parse(to_text(encode_result_document(sample_failure())));
  auto code = [&](int number) {
    document["errorCode"] = number;
    auto got = decode_result_document(to_bytes(document.dump()));
    return got ? got->code : service_code::none;
  };
  CHECK(code(4007) == service_code::payload_too_large);
  CHECK(code(4050) == service_code::non_retryable);
  CHECK(code(4103) == service_code::authentication);
  CHECK(code(4150) == service_code::retryable);
  for (int bad : {0, 1, 3999, 4200, 65536})
    CHECK(code(bad) == service_code::none);
}

TEST_CASE("health that is no object is left out, not passed on", "[service][calls]") {
  check_in_order order{"0.1.0", {7, sample_digest()}, true, "{}"};
  for (const char* bad : {"", "[]", "7", "{", "{\"a\":1}}", "nonsense"}) {
    order.health_json = bad;
    CHECK(encode_check_in(sample_caller(), order).ends_with("\"health\":{}}"));
  }
  order.reconciled = false;
  CHECK(encode_check_in(sample_caller(), order).find("reconciled") == std::string::npos);
}

TEST_CASE("texts that are no UTF-8 cannot make a body unwritable", "[service][calls]") {
  CHECK(encode_query(sample_caller(), {"a\xff"}).ends_with("[\"a\xef\xbf\xbd\"]}"));
  CHECK(encode_error("x", "\xc3").find("\xef\xbf\xbd") != std::string::npos);
}
