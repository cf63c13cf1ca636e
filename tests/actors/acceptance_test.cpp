// A service that does not take us for who we are: shown while it lasts.
#include "actors/tasks/acceptance.hpp"

#include "actors/tasks/plant.hpp"
#include "core/clock.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::actors::tasks;

TEST_CASE("a refusal of our certificate stands in status until a call is answered",
          "[actors][acceptance]") {
  plant p;
  p.time = &system_clock();
  int told = 0;
  p.tell = [&told](const report&) { ++told; };
  const connect::service::call_error silence{{errc::unavailable, "", "no answer"}};
  const connect::service::call_error refusal{{errc::unauthorized, "", "HTTP 403 revoked"}};
  note_acceptance(p, &silence);
  CHECK(p.attention.current().empty());
  note_acceptance(p, &refusal);
  note_acceptance(p, &refusal);
  note_acceptance(p, &silence);
  REQUIRE(p.attention.current().size() == 1);
  CHECK(p.attention.current()[0].find("HTTP 403 revoked") != std::string::npos);
  CHECK(told == 1);
  note_acceptance(p, nullptr);
  CHECK(p.attention.current().empty());
  CHECK(told == 2);
  note_acceptance(p, nullptr);
  CHECK(told == 2);
}

TEST_CASE("a stranger in the service's place is not told as its refusal", "[actors][acceptance]") {
  plant p;
  p.time = &system_clock();
  std::vector<std::string> told;
  p.tell = [&told](const report& what) { told.push_back(what.text); };
  const connect::service::call_error stranger{
    {errc::unauthorized, "server", "is not who it must be: certificate has expired"}};
  const connect::service::call_error proxy{
    {errc::unauthorized, "proxy", "wants credentials (HTTP 407)"}};
  const connect::service::call_error refusal{{errc::unauthorized, "", "HTTP 403 revoked"}};
  note_acceptance(p, &stranger);
  note_acceptance(p, &stranger);
  REQUIRE(p.attention.current().size() == 1);
  CHECK(p.attention.current()[0]
        == "the service is not reached: the server is not who it must be: certificate has expired");
  CHECK(told == p.attention.current());
  note_acceptance(p, &proxy);
  CHECK(p.attention.current()
        == std::vector<std::string>{
          "the service is not reached: the proxy wants credentials (HTTP 407)"});
  note_acceptance(p, &refusal); // it was reached
  REQUIRE(p.attention.current().size() == 1);
  CHECK(p.attention.current()[0].find("does not accept") != std::string::npos);
  note_acceptance(p, &stranger);
  CHECK(p.attention.current().size() == 2);
  note_acceptance(p, nullptr);
  CHECK(p.attention.current().empty());
  CHECK(told.size() == 4);
}
