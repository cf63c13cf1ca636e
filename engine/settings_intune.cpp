// The rows of the section "intune".
#include <array>

#include "engine/settings_forms.hpp"

namespace pfx::engine::detail {
namespace {

constexpr std::int64_t second = 1'000;

constexpr std::array rows{
  setting{.path = "intune.cloud",
          .is = shape::choice,
          .sentence = "The cloud that the tenant lives in. `china` needs `resourceUrl`.",
          .where = [](place in) -> slot { return &in.whole->intune->cloud; },
          .choices = "public|usGovernment|usGovernmentDod|china"},
  setting{.path = "intune.tenant",
          .is = shape::text,
          .sentence = "Id or domain of the tenant.",
          .where = [](place in) -> slot { return &in.whole->intune->tenant; },
          .mandatory = true,
          .looks = &short_word},
  setting{.path = "intune.clientId",
          .is = shape::text,
          .sentence = "Application id of the app registration that we are.",
          .where = [](place in) -> slot { return &in.whole->intune->client_id; },
          .mandatory = true,
          .looks = &short_word},
  setting{.path = "intune.loginUrl",
          .is = shape::text,
          .sentence = "Where tokens are asked for, instead of the cloud's address.",
          .where = [](place in) -> slot { return &in.whole->intune->login_url; },
          .looks = &https_url_or_none,
          .default_note = "the cloud's"},
  setting{.path = "intune.graphUrl",
          .is = shape::text,
          .sentence
          = "Microsoft Graph, instead of the cloud's address. Its host may then name itself as the "
            "place of Intune's services, too.",
          .where = [](place in) -> slot { return &in.whole->intune->graph_url; },
          .looks = &https_url_or_none,
          .default_note = "the cloud's"},
  setting{.path = "intune.resourceUrl",
          .is = shape::text,
          .sentence = "The resource that tokens for Intune are for.",
          .where = [](place in) -> slot { return &in.whole->intune->resource_url; },
          .looks = &https_url_or_none,
          .default_note = "the cloud's"},
  setting{.path = "intune.serviceDomains",
          .is = shape::words,
          .sentence
          = "Domains in which Intune's services are believed to be, beside the cloud's: an answer "
            "of Graph must not send our tokens anywhere.",
          .where = [](place in) -> slot { return &in.whole->intune->service_domains; },
          .looks = &domain_suffix},
  setting{.path = "intune.trustedRootsFile",
          .is = shape::file,
          .sentence = "PEM: the roots that all TLS certificates of the tenant's services, and of "
                      "an https:// proxy, must chain to.",
          .where = [](place in) -> slot { return &in.whole->intune->trusted_roots_file; },
          .default_note = "the system's roots"},
  setting{.path = "intune.callTimeoutSeconds",
          .is = shape::amount,
          .sentence = "Longest time of one call.",
          .where = [](place in) -> slot { return &in.whole->intune->call_timeout_ms; },
          .scale = second,
          .minimum = 1,
          .maximum = 600},
  setting{.path = "intune.credentials[].secretFile",
          .is = shape::file,
          .sentence = "File with the client secret, mode 0600; a line end behind it is left out. "
                      "`credential:NAME` names a credential of the service manager.",
          .where = [](place in) -> slot { return &in.credential->secret_file; }},
  setting{.path = "intune.credentials[].certificateFile",
          .is = shape::file,
          .sentence = "PEM: the certificate that the app registration knows.",
          .where = [](place in) -> slot { return &in.credential->certificate_file; }},
  setting{.path = "intune.credentials[].keyFile",
          .is = shape::file,
          .sentence = "PEM: its private key (RSA, 2048 bits or more), mode 0600.",
          .where = [](place in) -> slot { return &in.credential->key_file; }},
  setting{.path = "intune.credentials[].expires",
          .is = shape::text,
          .sentence = "The day on which a secret ends, as the portal says: 2027-01-31. It is told "
                      "60 days ahead. Of a certificate the engine knows it.",
          .where = [](place in) -> slot { return &in.credential->expires; },
          .looks = &day},
  setting{.path = "intune.proxy.url",
          .is = shape::text,
          .sentence = "`http://host:port` or `https://host:port`.",
          .where = [](place in) -> slot { return &in.whole->intune->proxy->url; },
          .mandatory = true,
          .looks = &proxy_url},
  setting{.path = "intune.proxy.userFile",
          .is = shape::file,
          .sentence = "File with user:password, mode 0600, for a proxy that wants them.",
          .where = [](place in) -> slot { return &in.whole->intune->proxy->user_file; }},
  setting{.path = "intune.revocations.enabled",
          .is = shape::flag,
          .sentence = "Whether revocation orders are taken.",
          .where = [](place in) -> slot { return &in.whole->intune->revocations_enabled; }},
  setting{.path = "intune.revocations.pollIntervalSeconds",
          .is = shape::amount,
          .sentence = "Time between two downloads; the service gives out the same order once an "
                      "hour at most. At once where a full batch brought something new.",
          .where = [](place in) -> slot { return &in.whole->intune->poll_interval_ms; },
          .scale = second,
          .minimum = 0.1,
          .maximum = 86'400},
  setting{.path = "intune.revocations.ordersMax",
          .is = shape::count,
          .sentence = "Most orders of one download.",
          .where = [](place in) -> slot { return &in.whole->intune->orders_max; },
          .minimum = 1,
          .maximum = 500},
  setting{.path = "intune.revocations.perHour",
          .is = shape::count,
          .sentence = "More orders within an hour are held for an operator's word "
                      "(`pfxengine revocations`).",
          .where = [](place in) -> slot { return &in.whole->intune->orders_per_hour; },
          .minimum = 1,
          .maximum = 1'000'000},
  setting{.path = "intune.revocations.retrySeconds",
          .is = shape::amount,
          .sentence = "First wait after a call that failed; doubled each time, up to ten minutes.",
          .where = [](place in) -> slot { return &in.whole->intune->retry_ms; },
          .scale = second,
          .minimum = 0.1,
          .maximum = 600},
};

} // namespace

std::span<const setting> intune_settings_rows() noexcept { return rows; }

} // namespace pfx::engine::detail
