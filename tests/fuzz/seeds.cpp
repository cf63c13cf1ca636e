// Inputs to begin with, written by our own codecs: bodies, result documents and records that are
// right, for the fuzzer to break. What needs other tools is in seeds.py.
#include "tests/fuzz/seeds.hpp"

#include <filesystem>
#include <fstream>

#include "connect/ca/wire.hpp"
#include "connect/service/codec.hpp"
#include "core/codec.hpp"
#include "core/record.hpp"
#include "core/release.hpp"
#include "tests/connect/service_samples.hpp"

namespace pfx::fuzz {

namespace {

namespace service = connect::service;
namespace wire = connect::ca::wire;

class folder {
public:
  explicit folder(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
  }
  void add(byte_view octets) {
    std::ofstream file(path_ + "/own-" + std::to_string(count_++), std::ios::binary);
    file.write(reinterpret_cast<const char*>(octets.data()),
               static_cast<std::streamsize>(octets.size()));
  }
  void add(std::string_view text) { add(as_bytes(text)); }
  /// For targets whose first octet chooses.
  void add(std::uint8_t which, byte_view octets) {
    bytes all{which};
    all.insert(all.end(), octets.begin(), octets.end());
    add(all);
  }
  void add(std::uint8_t which, std::string_view text) { add(which, as_bytes(text)); }

private:
  std::string path_;
  int count_ = 0;
};

void write_downloads(folder out) {
  const auto create = service::encode_request(test::sample_create(), 3, 600'000);
  const auto import = service::encode_request(test::sample_import(), 1, 600'000);
  out.add(service::encode_download_answer({create}, false));
  out.add(service::encode_download_answer({import}, false));
  out.add(service::encode_download_answer({create, import, "{\"requestContext\":\"c\"}"}, true));
  out.add(service::encode_download_answer({}, false));
}

service::recorded sample_recorded() {
  return {test::sample_digest(), true, test::sample_digest("t"), "connector-1"};
}

/// In the order of the decoders in service_targets.cpp.
void write_answers(folder& out) {
  out.add(0, service::encode_register_answer({"connector-1", test::sample_der(), {}}));
  service::check_in_answer check_in;
  check_in.last_known = service::anchor{7, test::sample_digest()};
  check_in.latest_version = "1.0.0";
  check_in.deprecated_after = test::sample_time;
  check_in.lifecycle = "supported";
  out.add(1, service::encode_check_in_answer(check_in));
  out.add(2, service::encode_renew_leases_answer({{"ctx-1", true}, {"ctx-2", false}}));
  out.add(3,
          service::encode_upload_answer(
            {{"ctx-1", service::upload_status::accepted, sample_recorded(), ""},
             {"ctx-2", service::upload_status::rejected, {}, "not this way"}}));
  out.add(4,
          service::encode_query_answer(
            {{{"ctx-1", service::query_state::recorded, 3, sample_recorded()}}, true}));
  out.add(5, service::encode_renew_answer(test::sample_der()));
  out.add(6, service::encode_import_keys_answer());
}

void write_calls(folder& out) {
  const auto who = test::sample_caller();
  out.add(7,
          service::encode_register(
            {"code", "office", "machine", "0.1.0", {"pfxCreate"}, test::sample_der()}));
  out.add(8, service::encode_query_handed_to_me(who, "ctx-1"));
  out.add(9, service::encode_check_in(who, {"0.1.0", {7, test::sample_digest()}, true, "{}"}));
  out.add(10, service::encode_download(who, {100, {request_kind::pfx_create}, 600'000}));
  out.add(11, service::encode_renew_leases(who, 600'000, {{"ctx-1", 3}}));
  const auto document = service::encode_result_document(test::sample_success());
  out.add(12, service::encode_upload(who, {{"ctx-1", 3, test::sample_digest(), document}}));
  out.add(13, service::encode_query(who, {"ctx-1", "ctx-2"}));
  out.add(14, service::encode_renew(who, test::sample_der()));
  out.add(15, service::encode_import_keys(who, {{"provider", "key", test::sample_der()}}));
}

void write_authority(folder& out) {
  using connect::ca::ca_answer;
  using connect::ca::ca_status;
  out.add(16,
          wire::encode_submit({test::sample_digest(),
                               test::sample_der(),
                               "User",
                               {12, validity_unit::months},
                               "S-1-5-21-1-2-3-1105"}));
  out.add(17, wire::encode_find(test::sample_digest()));
  out.add(18,
          wire::encode_revoke(
            {"CN=CA", "0a1b", connect::ca::revocation_reason::superseded, test::sample_time}));
  ca_answer answer;
  answer.status = ca_status::issued;
  answer.certificate = test::sample_der();
  answer.chain = {test::sample_der(2)};
  out.add(19, wire::encode_answer(answer));
  answer = {};
  answer.status = ca_status::pending;
  answer.pending_id = "17";
  answer.pending_public_key_hash = test::sample_digest();
  out.add(19, wire::encode_answer(answer));
  out.add(20, wire::encode_answer({connect::ca::revoke_status::done, "", 0}));
  out.add(21, wire::encode_error("ServiceUnavailable", "not now"));
}

record sample_record() {
  record out;
  out.key = {"tenant", flow::pfx, "context"};
  out.state = record_state::pending;
  out.kind = request_kind::pfx_create;
  out.fingerprint = test::sample_digest();
  out.has_intent = true;
  out.authority = "Corp CA";
  out.pending_id = "17";
  out.reason = "words";
  out.serial_number = "0a1b";
  return out;
}

void write_records(folder out) {
  out.add(0, encode(sample_record()));
  settled_record settled;
  settled.kind = request_kind::pfx_create;
  settled.authority = "Corp CA";
  settled.serial_number = "0a1b";
  out.add(1, encode(settled));
  surplus_certificate surplus;
  surplus.request = {"tenant", flow::pfx, "context"};
  surplus.issuer = "CN=CA";
  out.add(2, encode(surplus));
  out.add(3,
          encode(trail_entry{test::sample_time, 1050, record_state::issued, "call", 7, "words"}));
  out.add(4, encode(test::sample_create()));
  out.add(4, encode(test::sample_import()));
}

/// What a key file seals, without the private half.
void write_key_files(folder out) {
  writer about;
  about.u8(1).text("provider").text("key").u32(2048).u8(1).u8(4).flag(true).i64(0);
  about.blob(test::sample_der());
  out.add(1, writer().blob(about.view()).take());
  out.add(0, std::string_view("not sealed"));
}

/// In the order of the cases in intune_targets.cpp.
void write_intune(folder out) {
  out.add(0, R"({"token_type":"Bearer","expires_in":3599,"access_token":"eyJ.e30.x"})");
  out.add(1,
          R"({"error":"invalid_client","error_description":"AADSTS7000222: x","error_codes":[7]})");
  out.add(
    2,
    R"({"value":[{"providerName":"PkiConnectorFEService","uri":"https://fef.a.example/R/S"}],)"
    R"("@odata.nextLink":"https://graph.example/v1.0?$skiptoken=1"})");
  out.add(3, R"({"value":[{"requestContext":"c","serialNumber":"0A1B","issuerName":null},{}]})");
  out.add(4, R"({"code":"ChallengeExpired","errorDescription":"x"})");
  out.add(5, R"({"value":"true"})");
  out.add(6, R"({"error":{"code":"InternalError","message":"{\"Message\":\"x\"}"}})");
  out.add(7, "1500");
  out.add(8, "a\xc3\xa4\xf0\x9f\x94\x91");
}

/// In the order of the cases in release_target.cpp.
void write_releases(folder out) {
  release::role_key key{{}, test::sample_time / 1000 * 1000};
  key.key.octets.fill(7);
  const release::role role{1, {key}};
  const auto root
    = release::encode(release::root{"pfxengine", 2, key.valid_from + 1000, role, role});
  release::manifest of{"pfxengine", "linux-x86-64", {{1, 2, 3}}, key.valid_from, key.valid_from};
  of.expires = of.valid_from + 86'400'000;
  of.length = 4'096;
  of.hash = test::sample_digest();
  const auto manifest = release::encode(of);
  out.add(0, root);
  out.add(1, manifest);
  out.add(2, release::encode(release::signed_text{manifest, {{key.key, {}}}}));
  out.add(3, release::encode(release::trust{root, release::seen_of(of)}));
  out.add(3, release::encode(release::trust{root, std::nullopt}));
  out.add(4, manifest);
  out.add(4, root);
}

} // namespace

void write_seeds(const std::string& directory) {
  write_downloads(folder(directory + "/download"));
  folder calls(directory + "/calls");
  write_answers(calls);
  write_calls(calls);
  write_authority(calls);
  folder results(directory + "/result");
  results.add(service::encode_result_document(test::sample_success()));
  results.add(service::encode_result_document(test::sample_failure()));
  write_records(folder(directory + "/record"));
  write_key_files(folder(directory + "/key_file"));
  write_intune(folder(directory + "/intune"));
  write_releases(folder(directory + "/release"));
}

} // namespace pfx::fuzz
