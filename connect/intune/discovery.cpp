// The directory of services: one question at a time, its answer kept as one edition.
#include "connect/intune/discovery.hpp"

#include <algorithm>
#include <mutex>

#include "connect/http/address.hpp"
#include "connect/http/header_text.hpp"
#include "connect/intune/authorized.hpp"
#include "connect/intune/codec.hpp"

namespace pfx::connect::intune {

namespace {

using listing = std::map<std::string, std::string>;

/// Owner of the last edition. `asking_` is held while Graph is asked, `mutex_` for moments.
class graph_directory final : public service_directory {
public:
  graph_directory(web& over, token_source& tokens, directory_settings settings, const clock& time)
      : settings_(std::move(settings)), by_{over, tokens, settings_.graph_scope}, time_(time) {}

  answer<service_location> find(const std::string& service) override;
  void drop(std::uint64_t edition) override;

private:
  struct held {
    std::shared_ptr<const listing> services; ///< null = nothing is known
    std::uint64_t edition = 0;
  };
  [[nodiscard]] held current() const;
  answer<held> load();
  [[nodiscard]] answer<listing> ask() const;
  [[nodiscard]] answer<std::string> approved(const std::string& service,
                                             const std::string& uri) const;

  const directory_settings settings_;
  const authorized_call by_;
  const clock& time_;
  std::mutex asking_;
  mutable std::mutex mutex_;
  held held_;
  boot_ms loaded_at_ = 0;
  std::uint64_t asked_ = 0; ///< questions that ended
  std::optional<call_error> fault_;
};

graph_directory::held graph_directory::current() const {
  std::lock_guard lock(mutex_);
  if (time_.boot() - loaded_at_ >= directory_age_ms_max)
    return {nullptr, held_.edition};
  return held_;
}

/// As with tokens: who waited while another asked takes that answer.
answer<graph_directory::held> graph_directory::load() {
  std::uint64_t seen = 0;
  {
    std::lock_guard lock(mutex_);
    seen = asked_;
  }
  std::lock_guard asking(asking_);
  if (auto known = current(); known.services)
    return known;
  {
    std::lock_guard lock(mutex_);
    if (asked_ != seen && fault_)
      return tl::unexpected(*fault_);
  }
  auto got = ask();
  std::lock_guard lock(mutex_);
  ++asked_;
  if (!got) {
    fault_ = got.error();
    return tl::unexpected(std::move(got.error()));
  }
  fault_.reset();
  held_ = {std::make_shared<const listing>(std::move(*got)), held_.edition + 1};
  loaded_at_ = time_.boot();
  return held_;
}

/// Names the permission where that is what is missing.
call_error explained(call_error fault) {
  if (fault.status == 403)
    fault.what.message = "the application may not read service addresses: it needs the Graph "
                         "permission Application.Read.All with an administrator's consent; "
      + fault.what.message;
  else if (fault.status == 404)
    fault.what
      = {errc::not_found, "",
         "this tenant does not know Microsoft Intune: is it licensed? " + fault.what.message};
  else if (fault.what.code == errc::unknown_outcome)
    fault.what.code = errc::unavailable; // to read something does nothing
  if (fault.what.field.empty())
    fault.what.field = "discovery";
  return fault;
}

answer<listing> graph_directory::ask() const {
  listing out;
  std::string url = settings_.graph + "/" + settings_.graph_version
    + "/servicePrincipals/appId=" + settings_.intune_app_id + "/endpoints";
  for (int page = 0; page < directory_pages_max; ++page) {
    web_request request{url};
    request.options.headers = {{"Accept", "application/json"}};
    auto got = send_authorized(by_, std::move(request));
    if (!got)
      return tl::unexpected(explained(std::move(got.error())));
    auto read = decode_services(got->body);
    if (!read)
      return tl::unexpected(
        call_error{{errc::bad_input, "discovery",
                    "the answer of Graph is no list: " + to_string(read.error())},
                   200,
                   {},
                   got->request_id,
                   0});
    out.merge(read->services); // what is there already stays
    if (read->next.empty())
      return out;
    if (!read->next.starts_with(settings_.graph + "/"))
      return refusal({errc::policy, "discovery", "the list goes on at a place that is not Graph"});
    url = read->next;
  }
  return refusal({errc::too_large, "discovery", "the list has no end within 8 pages"});
}

answer<std::string> graph_directory::approved(const std::string& service,
                                              const std::string& uri) const {
  auto fail = [&](const std::string& why) {
    return refusal(
      {errc::policy, "discovery",
       "the address of " + printable(service, 64) + " " + why + ": " + printable(uri, 128)});
  };
  auto read = http::parse_address(uri, "uri");
  if (!read)
    return fail(read.error().message);
  if (!read->query.empty())
    return fail("has a question mark");
  const bool allowed
    = std::any_of(settings_.domains.begin(), settings_.domains.end(),
                  [&](const std::string& domain) { return http::is_within(read->host, domain); });
  if (!allowed)
    return fail("is outside the allowed domains");
  return read->text();
}

answer<service_location> graph_directory::find(const std::string& service) {
  held known = current();
  if (!known.services) {
    auto loaded = load();
    if (!loaded)
      return tl::unexpected(std::move(loaded.error()));
    known = std::move(*loaded);
  }
  auto found = known.services->find(http::lower(service));
  if (found == known.services->end()) {
    drop(known.edition); // a licence or a role that comes is seen at the next call
    return refusal({errc::not_found, "discovery",
                    "this tenant has no " + printable(service, 64)
                      + ": is Intune licensed, and has the application the Intune permission "
                        "scep_challenge_provider?"});
  }
  auto uri = approved(service, found->second);
  if (!uri) {
    drop(known.edition);
    return tl::unexpected(std::move(uri.error()));
  }
  return service_location{std::move(*uri), known.edition};
}

void graph_directory::drop(std::uint64_t edition) {
  std::lock_guard lock(mutex_);
  if (held_.edition == edition)
    held_.services.reset();
}

/// One segment of a path: what may stand there without being read as something else.
bool is_segment(std::string_view text) {
  return !text.empty() && text.size() <= 128
    && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")
    == std::string_view::npos
    && text.find("..") == std::string_view::npos;
}

} // namespace

result<std::unique_ptr<service_directory>> make_directory(web& over, token_source& tokens,
                                                          directory_settings settings,
                                                          const clock& time) {
  auto graph = http::parse_address(settings.graph, "graph");
  if (!graph)
    return failure(graph.error());
  settings.graph = graph->text();
  if (!is_segment(settings.graph_version))
    return failure(errc::bad_input, "graphVersion", "is no version of Graph");
  if (!is_segment(settings.intune_app_id))
    return failure(errc::bad_input, "intuneAppId", "is no application id");
  if (settings.graph_scope.empty())
    return failure(errc::bad_input, "graphScope", "is missing");
  if (settings.domains.empty())
    return failure(errc::bad_input, "domains", "is empty");
  return std::unique_ptr<service_directory>(
    new graph_directory(over, tokens, std::move(settings), time));
}

} // namespace pfx::connect::intune
