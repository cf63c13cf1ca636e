// A token source at a tenant's door, as its tests use it.
#pragma once

#include "tests/catch.hpp"
#include "tests/connect/intune_support.hpp"

namespace pfx::test {

inline constexpr const char* scope = "https://api.manage.microsoft.com//.default";

/// A source at the tenant's door, with these credentials and a clock that stands still.
struct desk {
  explicit desk(std::vector<intune::credential> credentials = {}) {
    intune::web_options network;
    network.trusted_roots_pem = world().server_root;
    over = std::move(*intune::make_web(std::move(network)));
    intune::token_settings settings;
    settings.token_url = where.url() + "/" + test_tenant + "/oauth2/v2.0/token";
    settings.client_id = test_client;
    settings.credentials = std::move(credentials);
    if (settings.credentials.empty())
      settings.credentials.push_back(secret_credential("s3cret~value"));
    auto made = intune::make_token_source(*over, std::move(settings),
                                          {&time, [this] { return dice.load(); }});
    if (!made)
      FAIL(to_string(made.error()));
    source = std::move(*made);
  }

  intune::call_error fails() {
    auto got = source->token(scope);
    REQUIRE_FALSE(got.has_value());
    return got.error();
  }
  std::string text() {
    auto got = source->token(scope);
    if (!got)
      FAIL(to_string(got.error().what));
    return std::string((*got)->text());
  }

  tenant where;
  still_clock time;
  std::atomic<std::uint64_t> dice{0};
  std::unique_ptr<intune::web> over;
  std::unique_ptr<intune::token_source> source;
};

inline std::vector<intune::credential> both(intune::credential first, intune::credential second) {
  std::vector<intune::credential> out;
  out.push_back(std::move(first));
  out.push_back(std::move(second));
  return out;
}

} // namespace pfx::test
