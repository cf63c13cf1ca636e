// GET with Range (RFC 9110 14.2): a server that does not know ranges is good for small files only.
#include "actors/tasks/https_feed.hpp"

#include "connect/http/client.hpp"
#include "core/program_version.hpp"
#include "release/staging.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr int found = 200, partial = 206, missing = 404, gone = 410, beyond_the_end = 416;

/// Over what one part may have: headers of a broken server are not a body.
constexpr std::size_t answer_bytes_max = release::part_bytes + 1;

class https_feed final : public release::feed {
public:
  explicit https_feed(std::unique_ptr<connect::http::client> calls) : calls_(std::move(calls)) {}

  void cancel() noexcept override { calls_->cancel(); }

  result<std::string> document(const std::string& name, std::size_t bytes_max) override {
    auto answer = calls_->get("/" + name);
    if (!answer)
      return failure(answer.error());
    if (answer->status != found)
      return refused(name, answer->status);
    if (answer->body.size() > bytes_max)
      return failure(errc::too_large, name,
                     "is longer than " + std::to_string(bytes_max) + " bytes");
    return std::move(answer->body);
  }

  result<std::string> part(const std::string& name, std::uint64_t offset,
                           std::size_t count) override {
    connect::http::call_options options;
    options.headers["Range"]
      = "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + count - 1);
    auto answer = calls_->get("/" + name, options);
    if (!answer)
      return failure(answer.error());
    if (answer->status == beyond_the_end)
      return std::string();
    if (answer->status == found && offset == 0 && answer->body.size() <= count)
      return std::move(answer->body);
    if (answer->status == found)
      return failure(errc::not_supported, name, "comes from a server that knows no ranges");
    if (answer->status != partial)
      return refused(name, answer->status);
    // The wrong range would be found by the hash, but only at the end of everything.
    const auto range = answer->headers.find("content-range");
    if (range == answer->headers.end()
        || !range->second.starts_with("bytes " + std::to_string(offset) + "-"))
      return failure(errc::unavailable, name, "came as another part than was asked for");
    return std::move(answer->body);
  }

private:
  static tl::unexpected<error> refused(const std::string& name, int status) {
    const bool none = status == missing || status == gone;
    return failure(none ? errc::not_found : errc::unavailable, name,
                   "the feed answers with " + std::to_string(status));
  }

  std::unique_ptr<connect::http::client> calls_;
};

} // namespace

result<std::unique_ptr<release::feed>> open_https_feed(const std::string& url,
                                                       const std::string& roots_pem) {
  connect::http::client_options options;
  options.base_url = url;
  options.trusted_roots_pem = roots_pem;
  options.call_timeout_ms = feed_call_ms;
  options.body_bytes_max = answer_bytes_max;
  options.connections_max = 1;
  options.user_agent = "pfxengine/" + program_version();
  auto calls = connect::http::client::make(std::move(options));
  if (!calls)
    return failure(calls.error());
  return std::make_unique<https_feed>(std::move(*calls));
}

} // namespace pfx::actors::tasks
