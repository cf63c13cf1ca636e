// One look after the other; a look that fails is a finding, never an end.
#include "engine/doctor.hpp"

#include <cstdlib>
#include <ctime>
#include <filesystem>

#include <sys/timex.h>

#include <nlohmann/json.hpp>

#include "connect/http/client.hpp"
#include "core/program_version.hpp"
#include "crypto/certificate.hpp"
#include "engine/control.hpp"
#include "engine/files.hpp"
#include "engine/identity.hpp"
#include "engine/keys.hpp"
#include "engine/owner.hpp"

namespace pfx::engine {
namespace {

using findings = std::vector<finding>;

constexpr std::size_t roots_bytes_max = 4u << 20;
constexpr std::int64_t clock_tolerance_ms
  = 60'000; ///< a lease is minutes, a token's time 5 of them
constexpr std::int64_t identity_notice_ms = 30LL * 24 * 3600 * 1000;
constexpr std::uint64_t roomy_times = 4; ///< free space below so many floors is worth a word

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

// -- this machine ------

void look_at_configuration(const configuration& settings, findings& into) {
  const auto faults = check_configuration(settings);
  for (const auto& fault : faults)
    into.push_back({"configuration", verdict::fault, to_string(fault),
                    "mend the setting or what it names; `pfxengine config doc` explains each"});
  for (const auto& note : configuration_notes(settings))
    into.push_back({"configuration", verdict::warning, note, "replace it before it ends"});
  if (settings.issuance.authorities.empty())
    into.push_back({"configuration", verdict::warning,
                    "issuance names no authority: every request for a certificate will be refused",
                    "name in issuance what may be certified"});
  if (faults.empty())
    into.push_back(
      {"configuration", verdict::good, printable(settings.path, 512) + " has no faults", ""});
}

void look_at_rights(const configuration& settings, findings& into) {
  if (const auto owner = foreign_owner(settings))
    into.push_back(
      {"rights", verdict::fault,
       printable(settings.data_directory, 512) + " belongs to the user " + printable(*owner),
       "run this as root or as that user, who the engine has to run as, too"});
  else
    into.push_back({"rights", verdict::good, "the data directory belongs to this user", ""});
}

void look_at_disk(const configuration& settings, findings& into) {
  std::error_code fault;
  const auto space = std::filesystem::space(settings.data_directory, fault);
  const auto floor = settings.limits.free_bytes_floor;
  if (fault)
    return; // told by the configuration's look already
  const auto words
    = mebibytes(space.available) + " are free, the engine pauses below " + mebibytes(floor);
  if (space.available < floor)
    into.push_back({"disk", verdict::fault, words, "make room on the disk of dataDirectory"});
  else if (space.available < roomy_times * floor)
    into.push_back({"disk", verdict::warning, words, "make room before that"});
  else
    into.push_back({"disk", verdict::good, words, ""});
}

void look_at_time_service(findings& into) {
  timex state{};
  if (::adjtimex(&state) < 0)
    return; // not to be known here (a container)
  if ((state.status & STA_UNSYNC) != 0)
    into.push_back({"clock", verdict::warning, "nothing keeps this machine's clock right",
                    "let a time service (systemd-timesyncd, chrony) set it"});
  else
    into.push_back({"clock", verdict::good, "a time service keeps the clock right", ""});
}

// -- what is sealed ------

void look_at_identity(const result<connector_identity>& identity, findings& into) {
  if (!identity) {
    into.push_back({"identity", verdict::fault, to_string(identity.error()),
                    "`pfxengine register CODE` makes it"});
    return;
  }
  const auto leaf = crypto::certificate::from_pem(identity->certificate_pem);
  if (!leaf) {
    into.push_back({"identity", verdict::fault, to_string(leaf.error()),
                    "restore the identity file, or register anew"});
    return;
  }
  const auto now = system_clock().wall();
  const auto words
    = "connector " + printable(identity->connector_id) + ", until " + to_rfc3339(leaf->not_after());
  if (leaf->not_after() <= now)
    into.push_back({"identity", verdict::fault, words + ": has ended",
                    "check the clock; then register anew with a new code"});
  else if (leaf->not_after() < now + identity_notice_ms)
    into.push_back({"identity", verdict::warning, words,
                    "a running engine renews it by itself; see why it has not (pfxengine status)"});
  else
    into.push_back({"identity", verdict::good, words, ""});
}

void look_at_keys(const configuration& settings, findings& into) {
  const auto keys = list_keys(settings);
  if (!keys)
    into.push_back({"keys", verdict::fault, to_string(keys.error()),
                    "restore the master key that they were sealed with"});
  else if (keys->empty())
    into.push_back({"keys", verdict::good, "no connector keys: imports are not possible",
                    "`pfxengine key create` makes one, if PFX files are to be imported"});
  else
    into.push_back({"keys", verdict::good,
                    std::to_string(keys->size()) + " connector keys, all of them open", ""});
}

// -- the others ------

/// Date of an answer (RFC 9110 5.6.7, the one form that is still sent).
std::optional<unix_ms> date_of(const connect::http::response& answer) {
  const auto found = answer.headers.find("date");
  if (found == answer.headers.end())
    return std::nullopt;
  std::tm parts{};
  const char* end = ::strptime(found->second.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0')
    return std::nullopt;
  return static_cast<unix_ms>(::timegm(&parts)) * 1'000;
}

void compare_clocks(const connect::http::response& answer, const std::string& who, findings& into) {
  const auto theirs = date_of(answer);
  if (!theirs)
    return; // it does not say
  const auto apart = system_clock().wall() - *theirs;
  const auto words = "this machine's clock is " + std::to_string(std::abs(apart) / 1'000) + " s "
    + (apart < 0 ? "behind" : "ahead of") + " " + who;
  if (std::abs(apart) > clock_tolerance_ms)
    into.push_back(
      {"clock", verdict::fault, words, "set the clock: certificates and tokens are judged by it"});
  else
    into.push_back({"clock", verdict::good, words, ""});
}

/// What calls are made with: the same for the service and every CA, as in the engine.
struct caller {
  std::shared_ptr<const connect::http::identity_box> identity; ///< null: there is none
  std::string how_to_get_one;                                  ///< if there is none
  std::int64_t timeout_ms = 0;
};

caller caller_of(result<connector_identity> identity, std::int64_t timeout_ms) {
  if (!identity)
    return {nullptr,
            identity.error().code == errc::not_found ? "`pfxengine register CODE` makes one"
                                                     : "mend first what is said of the identity",
            timeout_ms};
  return {std::make_shared<const connect::http::identity_box>(connect::http::tls_identity{
            std::move(identity->certificate_pem), {}, std::move(identity->key_pem)}),
          "", timeout_ms};
}

/// The server's alert in the handshake: not the right certificate, or none at all.
bool refuses_us(const error& fault) {
  return fault.code == errc::unauthorized && fault.field.empty();
}

std::string advice_for(const error& fault, const std::string& area) {
  if (refuses_us(fault))
    return area == "service"
      ? "see whether the connector's certificate has ended, and in the service whether this "
        "connector was removed; then register anew with a new code"
      : "let the CA trust the root of the connector's certificate (identityFile), and know this "
        "connector; and see whether that certificate has ended";
  if (fault.code == errc::unauthorized && fault.field == "server")
    return "trustedRootsFile must hold the root of the server's certificate, and the URL its name";
  if (fault.field == "proxy")
    return "see to the proxy's address and credentials";
  return "see to the URL, the name service, the firewall, and whether it runs";
}

finding without_answer(const std::string& area, const std::string& url, const error& fault,
                       const caller& by) {
  if (by.identity == nullptr && refuses_us(fault))
    return {area, verdict::warning,
            url
              + ": wants the connector's certificate, and there is none to show yet: the rest "
                "can be judged after `pfxengine register`",
            by.how_to_get_one + "; then look again"};
  auto advice = advice_for(fault, area);
  if (by.identity == nullptr && fault.code == errc::unknown_outcome)
    advice += "; or it wants the connector's certificate: " + by.how_to_get_one;
  return {area, verdict::fault, url + ": " + to_string(fault), std::move(advice)};
}

/// Any answer of HTTP is a good one: name, network and TLS work, both ways.
std::optional<connect::http::response> call(const std::string& area, const std::string& url,
                                            const std::string& roots_file, const caller& by,
                                            findings& into) {
  connect::http::client_options options;
  options.base_url = url;
  options.connect_timeout_ms = options.call_timeout_ms = by.timeout_ms;
  options.user_agent = "pfxengine/" + program_version() + " doctor";
  options.shared_identity = by.identity;
  if (!roots_file.empty()) {
    const auto roots = detail::read_file(roots_file, roots_bytes_max);
    if (!roots)
      return std::nullopt; // told by the configuration's look already
    options.trusted_roots_pem = to_text(*roots);
  }
  const auto client = connect::http::client::make(std::move(options));
  auto answer
    = client ? (*client)->get("/") : result<connect::http::response>(failure(client.error()));
  if (!answer) {
    into.push_back(without_answer(area, printable(url, 512), answer.error(), by));
    return std::nullopt;
  }
  into.push_back({area, verdict::good,
                  printable(url, 512) + " answers, and is who it must be (status "
                    + std::to_string(answer->status) + ")",
                  ""});
  return std::move(*answer);
}

void look_at_others(const configuration& settings, const caller& by, findings& into) {
  const auto& service = settings.service;
  if (const auto answer = call("service", service.url, service.trusted_roots_file, by, into))
    compare_clocks(*answer, "the service", into);
  for (const auto& authority : settings.authorities) {
    const auto& roots = authority.trusted_roots_file.empty() ? service.trusted_roots_file
                                                             : authority.trusted_roots_file;
    (void)call("ca", authority.url, roots, by, into);
  }
}

// -- the engine itself ------

void look_at_engine(const configuration& settings, findings& into) {
  const auto client = control_client::make(settings.control_socket);
  const auto now = client ? client->current() : result<status>(failure(client.error()));
  if (!now) {
    into.push_back({"versions", verdict::warning,
                    "pfxengine " + program_version() + "; no engine is running",
                    "systemctl start pfxengine, or pfxengine run"});
    return;
  }
  if (now->state == health::halted)
    into.push_back({"versions", verdict::fault,
                    "the engine halted: " + printable(now->message, 512),
                    "docs/lifecycle.md says what each halt means; then `pfxengine run --resume`"});
  for (const auto& sentence : now->attention)
    into.push_back({"versions", verdict::warning, printable(sentence, 512), "see to it"});
  const bool fit = now->lifecycle.empty() || now->lifecycle == "supported";
  into.push_back(
    {"versions", fit ? verdict::good : verdict::warning,
     "pfxengine " + printable(now->version) + " runs, "
       + (now->lifecycle.empty() ? "the service has not said how long it is supported"
                                 : "the service calls it " + printable(now->lifecycle)),
     fit ? "" : "update it"});
  if (now->version != program_version())
    into.push_back({"versions", verdict::warning, "this program is " + program_version(),
                    "restart the engine to run what is installed"});
}

} // namespace

std::string_view name_of(verdict value) noexcept {
  switch (value) {
    case verdict::good:
      return "good";
    case verdict::warning:
      return "warning";
    case verdict::fault:
      return "fault";
  }
  return "unknown";
}

std::vector<finding> diagnose(const configuration& settings, std::int64_t call_timeout_ms) {
  findings out;
  look_at_configuration(settings, out);
  look_at_rights(settings, out);
  look_at_disk(settings, out);
  look_at_time_service(out);
  auto identity = load_identity(settings);
  look_at_identity(identity, out);
  look_at_keys(settings, out);
  look_at_others(settings, caller_of(std::move(identity), call_timeout_ms), out);
  look_at_engine(settings, out);
  return out;
}

std::string to_json(const std::vector<finding>& values) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& one : values)
    list.push_back({{"area", one.area},
                    {"verdict", name_of(one.how)},
                    {"what", one.what},
                    {"advice", one.advice}});
  return nlohmann::ordered_json{{"findings", list}}.dump(
    -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace pfx::engine
