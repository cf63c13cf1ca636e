// The whole box over HTTPS, with a stand-in for the engine: enrol, check in, download, certify,
// upload.
#include <filesystem>

#include "tests/sandbox/connector.hpp"

using namespace pfx;
using namespace pfx::test;

TEST_CASE("a stand-in engine that does its work gets a clean verdict", "[sandbox]") {
  const scratch folder;
  auto options = small(folder.path("box"));
  options.keep_deliveries = true;
  const auto box = good(pfx::sandbox::sandbox::start(options));
  CHECK_FALSE(box->finished());
  connector one(*box);
  one.work();
  const auto verdict = good(box->verdict()); // waits for the judge
  CHECK(box->finished());
  CHECK(verdict.faults == std::vector<std::string>{});
  CHECK(verdict.clean());
  CHECK(verdict.delivered == 12);
  CHECK(verdict.judged == 12);
  CHECK(verdict.certificates == 12);
  CHECK(verdict.redelivered > 0);
  CHECK(verdict.acknowledged == verdict.redelivered);
  CHECK(verdict.connectors == 1);
  const auto live = box->progress();
  CHECK(live.delivered == 12);
  CHECK(live.surplus_certificates == 0);
  for (const auto* name : {"result.pfx", "leaf.pem", "chain.pem", "root.pem", "request.json",
                           "expected.json", "password-0.cms", "device-0.pem", "device-0.key"}) {
    CAPTURE(name);
    CHECK(std::filesystem::file_size(folder.path("box/delivered/0/") + name) > 0);
  }
  box->stop();
  CHECK(good(pfx::sandbox::judge(folder.path("box"))).to_json() == verdict.to_json());
}

TEST_CASE("imports are handed out once a key is known, and need no certificate", "[sandbox]") {
  const scratch folder;
  auto options = small(folder.path("box"));
  options.mix = {{"create-ec", 1}, {"import", 2}};
  options.seed = 4;
  options.keep_deliveries = true;
  options.extra
    = {"bad:import-ciphertext-random", "bad:import-password-wrong",   "bad:import-padding-none",
       "bad:import-bomb-mac",          "bad:import-thumbprint-other", "bad:import-no-file"};
  const auto box = good(pfx::sandbox::sandbox::start(options));
  connector one(*box);
  one.work();
  const auto creates = box->progress();
  CHECK(creates.delivered > 0);
  CHECK(creates.delivered < 12);
  CHECK(creates.imported == 0);
  CHECK(creates.waiting == 18 - creates.delivered);
  CHECK_FALSE(box->finished());
  REQUIRE(one.desk->import_keys(one.who, {importer().announced}));
  auto other = importer().announced;
  other.public_key = importer().stranger;
  CHECK_FALSE(one.desk->import_keys(one.who, {other}));
  one.work();
  const auto verdict = good(box->verdict()); // waits for the judge
  CHECK(box->finished());
  CHECK(verdict.faults == std::vector<std::string>{});
  CHECK(verdict.clean());
  CHECK(verdict.delivered == 12);
  CHECK(verdict.imported == 12 - creates.delivered);
  CHECK(verdict.expected_failures == 6);
  CHECK(verdict.certificates == creates.delivered);
  CHECK(verdict.acknowledged == verdict.redelivered);
  CHECK(box->progress().imported == verdict.imported);
  box->stop();
  CHECK(good(pfx::sandbox::judge(folder.path("box"))).to_json() == verdict.to_json());
}

TEST_CASE("failures that tell one wrong password from another are found", "[sandbox]") {
  const scratch folder;
  auto options = small(folder.path("box"));
  options.requests = 0;
  options.redeliver_share = 0;
  options.extra = {"bad:import-ciphertext-random", "bad:import-password-wrong"};
  const auto box = good(pfx::sandbox::sandbox::start(options));
  connector one(*box);
  REQUIRE(one.desk->import_keys(one.who, {importer().announced}));
  const auto got = one.desk->download(one.who, {100, {request_kind::pfx_import}, 60'000});
  REQUIRE(got);
  REQUIRE(got->offers.size() == 2);
  std::vector<service::upload_entry> entries;
  for (const auto* word : {"the ciphertext is wrong", "the password is wrong"}) {
    const auto& offer = got->offers[entries.size()];
    const auto document = service::encode_result_document(
      fail_with(service_code::cryptography, std::string("encryptedPfxPassword: ") + word));
    entries.push_back({offer.context, offer.lease_number, crypto::sha256(document), document});
  }
  REQUIRE(one.desk->upload(one.who, entries));
  const auto verdict = good(box->verdict());
  CHECK(verdict.expected_failures == 2); // each alone is right
  CHECK_FALSE(verdict.clean());
  CHECK(mentions(verdict.faults, "2 different documents"));
}

TEST_CASE("a second certificate makes a run unfinished until it is revoked", "[sandbox]") {
  const scratch folder;
  auto options = small(folder.path("box"));
  options.requests = 2;
  const auto box = good(pfx::sandbox::sandbox::start(options));
  connector one(*box);
  one.work();
  CHECK(good(box->verdict()).clean());
  CHECK(box->finished());
  auto request = book().at(0).request; // any other subject will do
  request.context = one.kept_.begin()->first;
  const auto twin = fulfil(request, {}, one.by_ca(1));
  CHECK_FALSE(box->finished());
  CHECK(good(box->verdict()).surplus_certificates == 1);
  const auto leaf = good(crypto::certificate::from_der(twin.certificate->certificate));
  const auto revoked
    = one.ca->revoke({leaf.issuer(), leaf.serial(), connect::ca::revocation_reason::superseded,
                      system_clock().wall()});
  CHECK(revoked.status == connect::ca::revoke_status::done);
  CHECK(revoked.crl_number == 2); // the first was signed at the start
  for (const auto& where : {box->crl_url(), box->ocsp_url(), box->issuer_url()}) {
    CHECK(to_text(leaf.der()).find(where) != std::string::npos);
  }
  CHECK(box->finished());
  CHECK(good(box->verdict()).surplus_certificates == 0);
}

TEST_CASE("bad requests that a reader finds are recorded as expected failures", "[sandbox]") {
  const scratch folder;
  auto options = small(folder.path("box"));
  options.requests = 1;
  options.redeliver_share = 0;
  options.extra = {"bad:unknown-kind", "bad:missing-recipients", "bad:typed-validity",
                   "bad:no-recipients", "bad:recipient-not-base64"};
  const auto box = good(pfx::sandbox::sandbox::start(options));
  CHECK(box->enqueue("bad:duplicate-keys"));
  CHECK_FALSE(box->enqueue("bad:nonsense"));
  connector one(*box);
  const auto got = one.desk->download(one.who, {100, {request_kind::pfx_create}, 60'000});
  REQUIRE(got);
  REQUIRE(got->offers.size() == 7);
  std::vector<service::upload_entry> entries;
  for (const auto& offer : got->offers) {
    entries.push_back(one.answer_to(offer));
  }
  REQUIRE(one.desk->upload(one.who, entries));
  const auto verdict = good(box->verdict()); // waits for the judge
  CHECK(box->finished());
  CHECK(verdict.faults == std::vector<std::string>{});
  CHECK(verdict.expected_failures == 6);
  CHECK(verdict.delivered == 1);
}

TEST_CASE("answers that are bad as a whole are given once", "[sandbox]") {
  const scratch folder;
  auto options = small(folder.path("box"));
  options.requests = 0;
  options.extra = {"bad:answer-broken", "bad:answer-over-limit", "bad:answer-too-deep"};
  const auto box = good(pfx::sandbox::sandbox::start(options));
  connector one(*box);
  const service::download_order order{100, {request_kind::pfx_create}, 60'000};
  CHECK_FALSE(one.desk->download(one.who, order));
  const auto large = one.desk->download(one.who, order);
  REQUIRE_FALSE(large);
  CHECK(large.error().what.code == errc::too_large);
  CHECK_FALSE(one.desk->download(one.who, order));
  const auto served = one.desk->download(one.who, order);
  REQUIRE(served);
  CHECK(served->offers.size() == 3);
}

TEST_CASE("a connector without a certificate is served nowhere but at the door", "[sandbox]") {
  const scratch folder;
  const auto box = good(pfx::sandbox::sandbox::start(small(folder.path("box"))));
  for (const auto& base : {box->url(), box->ca_url()}) {
    http::client_options options;
    options.base_url = base;
    options.trusted_roots_pem = file_text(box->server_roots_path());
    const auto client = good(http::client::make(std::move(options)));
    const auto answer = client->post(
      base == box->url() ? "/PfxRequests/download" : "/CertificateAuthority/find", "{}");
    REQUIRE(answer);
    CHECK(answer->status == 401);
  }
}

TEST_CASE("options that mean nothing are refused, and so is a used directory", "[sandbox]") {
  using pfx::sandbox::sandbox;
  const scratch folder;
  const auto with = [&](auto change) {
    auto options = small(folder.path("other"));
    change(options);
    return sandbox::start(options);
  };
  CHECK_FALSE(with([](auto& how) { how.directory.clear(); }));
  CHECK_FALSE(with([](auto& how) { how.redeliver_share = 1.5; }));
  CHECK_FALSE(with([](auto& how) { how.lease_ms = 0; }));
  CHECK_FALSE(with([](auto& how) { how.registration_codes = 0; }));
  CHECK_FALSE(with([](auto& how) { how.extra = {"nonsense"}; }));
  CHECK_FALSE(with([](auto& how) { how.requests = 1'000'000'000; }));
  CHECK_FALSE(with([](auto& how) { how.intune.revoke_share = 1.5; }));
  CHECK_FALSE(with([](auto& how) { how.intune.cool_down_ms = -1; }));
  CHECK_FALSE(with([](auto& how) { how.intune.token_life_ms = 0; }));
  CHECK_FALSE(with([](auto& how) { how.intune.scep_challenges = 10'001; }));
  const auto first = good(sandbox::start(small(folder.path("box"))));
  first->stop();
  CHECK(sandbox::start(small(folder.path("box"))).error().code == errc::conflict);
}
