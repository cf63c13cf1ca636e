// Orders are repeatable, good ones are good, and bad ones are bad in exactly one way.
#include <limits>
#include <set>

#include "connect/service/codec.hpp"
#include "core/limits.hpp"
#include "sandbox/sandbox.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/support.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using namespace pfx::test;

namespace {

/// What the engine's reader makes of the texts of one download.
connect::service::download_answer read(const std::vector<std::string>& texts) {
  return good(connect::service::decode_download_answer(
    connect::service::encode_download_answer(texts, false)));
}

} // namespace

TEST_CASE("the same seed and index make the same order", "[orders]") {
  const auto one = book({{"create-ec", 1}, {"create-rsa", 1}, {"bad", 1}});
  const auto two = book({{"create-ec", 1}, {"create-rsa", 1}, {"bad", 1}});
  std::set<std::string> contexts;
  std::set<std::string> kinds;
  for (std::uint64_t index = 0; index < 200; ++index) {
    const auto a = one.at(index);
    CHECK(a.context == two.at(index).context);
    CHECK(one.text(a, 1, 1000, 0) == two.text(two.at(index), 1, 1000, 0));
    CHECK(a.context.size() <= limits::request_context_bytes_max);
    contexts.insert(a.context);
    kinds.insert(a.kind.substr(0, 9));
  }
  CHECK(contexts.size() == 200);
  CHECK(kinds.size() > 2);
}

TEST_CASE("good orders are read back as they are, and can be asked of a CA", "[orders]") {
  const auto orders = book({{"create-ec", 1}, {"create-rsa", 1}, {"create-rsa4096", 1}});
  for (std::uint64_t index = 0; index < 300; ++index) {
    const auto one = orders.at(index);
    const auto answer = read({orders.text(one, 3, 60'000, 0)});
    REQUIRE(answer.offers.size() == 1);
    const auto& offer = answer.offers.front();
    CAPTURE(one.request.create.subject);
    REQUIRE(offer.request);
    CHECK(*offer.request == one.request);
    CHECK(offer.lease_number == 3);
    const auto& wanted = one.request.create;
    const auto checked = crypto::check_csr_options({wanted.subject, wanted.alternative_names,
                                                    wanted.usages, wanted.extended_usages,
                                                    wanted.hash, wanted.security_identifier});
    CAPTURE(checked ? "" : to_string(checked.error()));
    CHECK(checked);
  }
}

TEST_CASE("all transports, all kinds of names and one to three recipients occur", "[orders]") {
  const auto orders = book();
  std::set<key_transport> transports;
  std::set<name_type> types;
  std::set<std::size_t> recipients;
  for (std::uint64_t index = 0; index < 500; ++index) {
    const auto one = orders.at(index);
    recipients.insert(one.request.recipients.size());
    for (const auto& recipient : one.request.recipients) {
      transports.insert(recipient.transport);
    }
    for (const auto& name : one.request.create.alternative_names) {
      types.insert(name.type);
    }
  }
  CHECK(transports.size() == 3);
  CHECK(types.size() == 6);
  CHECK(recipients == std::set<std::size_t>{1, 2, 3});
}

TEST_CASE("a bad request never takes its neighbours with it", "[orders]") {
  const auto orders = book();
  const auto neighbour = orders.at(1);
  for (const auto& name : bad_names()) {
    CAPTURE(name);
    const auto bad = orders.of_kind("bad:" + name, 7);
    const auto answer = read({orders.text(bad, 1, 1000, 0), orders.text(neighbour, 1, 1000, 0)});
    REQUIRE(answer.offers.size() == 2);
    CHECK(answer.offers[0].context == bad.context);
    REQUIRE(answer.offers[1].request);
    CHECK(*answer.offers[1].request == neighbour.request);
    if (bad.how == spoiling::text && name != "unknown-kind") {
      REQUIRE_FALSE(answer.offers[0].request);
      const auto& why = answer.offers[0].request.error();
      CAPTURE(to_string(why));
      CHECK((why.field + ": " + why.message).find(bad.expected.field) != std::string::npos);
    }
  }
}

TEST_CASE("a body that changes under one context has another fingerprint", "[orders]") {
  const auto orders = book();
  const auto bad = orders.of_kind("bad:other-body", 7);
  CHECK(copies_of(bad) == 2);
  const auto answer = read({orders.text(bad, 1, 1000, 0), orders.text(bad, 2, 1000, 1)});
  REQUIRE(answer.offers.size() == 2);
  CHECK(answer.offers[0].context == answer.offers[1].context);
  CHECK(answer.offers[0].fingerprint != answer.offers[1].fingerprint);
  const auto same = orders.of_kind("bad:repeated-500", 8);
  CHECK(copies_of(same) == 500);
  const auto twice = read({orders.text(same, 1, 1000, 0), orders.text(same, 2, 1000, 1)});
  CHECK(twice.offers[0].fingerprint == twice.offers[1].fingerprint);
}

TEST_CASE("whole answers that are bad are refused whole", "[orders]") {
  for (const auto* name : {"answer-over-limit", "answer-broken", "answer-too-deep"}) {
    CAPTURE(name);
    const auto body = spoiled_answer(name);
    if (std::string(name) == "answer-over-limit") {
      CHECK(body.size() > limits::body_bytes_max);
    } else {
      CHECK_FALSE(connect::service::decode_download_answer(body));
    }
  }
}

TEST_CASE("a mix that means nothing is refused", "[orders]") {
  const auto make = [](std::vector<std::pair<std::string, double>> mix) {
    return order_book::make({1, "CA", std::move(mix), 0, 0}, devices());
  };
  CHECK_FALSE(make({{"create-nothing", 1}}));
  CHECK_FALSE(make({{"bad:no-such-badness", 1}}));
  CHECK_FALSE(make({{"create-ec", -1}}));
  CHECK_FALSE(make({{"create-ec", 0}}));
  CHECK_FALSE(make({{"create-ec", std::numeric_limits<double>::quiet_NaN()}}));
  CHECK(make({{"bad:cn-200", 0.5}, {"poison", 2}}));
}

TEST_CASE("unfit recipients are unfit", "[orders][devices]") {
  const auto& unfit = devices().unfit();
  const auto& root = devices().root();
  const auto now = system_clock().wall();
  const auto foreign = good(crypto::certificate::from_der(unfit.foreign));
  CHECK_FALSE(crypto::verify_chain(foreign, {}, {root}, now));
  const auto expired = good(crypto::certificate::from_der(unfit.expired));
  CHECK_FALSE(crypto::verify_chain(expired, {}, {root}, now));
  const auto small = good(crypto::certificate::from_der(unfit.rsa512));
  CHECK(small.key_bits() == 512);
  CHECK(small.issued_by(root));
  for (const auto& one : devices().devices()) {
    for (const auto& key : one.keys) {
      CHECK(crypto::verify_chain(key.certificate, {}, {root}, now));
      CHECK(key.certificate.matches(*key.key));
      CHECK(key.certificate.common_name() == one.id);
      CHECK(devices().find(key.recipient_id) == &key);
    }
  }
  CHECK(devices().find("nobody") == nullptr);
}
