// libcurl at work: the callbacks, the loop, and what its codes mean for the caller.
#include "connect/http/transfer.hpp"

#include "connect/http/gzip.hpp"
#include "connect/http/header_text.hpp"
#include "connect/http/transfer_state.hpp"

#include <charconv>
#include <csignal>

namespace pfx::connect::http {

namespace {

constexpr std::size_t answer_header_bytes_max = 64u << 10;
constexpr int poll_ms = 1'000; ///< cancel wakes the poll; this is only the upper bound

/// A write to a closed connection must not kill the process: SIGPIPE stays blocked in this thread
/// for the call's time and is taken away if one arose (CURLOPT_NOSIGNAL leaves it to us).
class no_sigpipe {
public:
  no_sigpipe() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~no_sigpipe() {
    if (!was_pending_) {
      const timespec at_once{0, 0};
      while (::sigtimedwait(&pipe_, nullptr, &at_once) > 0) {}
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  no_sigpipe(const no_sigpipe&) = delete;
  no_sigpipe& operator=(const no_sigpipe&) = delete;

private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

} // namespace

std::size_t transfer::state::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& me = *static_cast<state*>(self);
  std::size_t length = size * count;
  if (length > me.context.options.body_bytes_max - me.answer.body.size()) {
    me.stopped = stop_reason::body_too_large;
    return CURL_WRITEFUNC_ERROR;
  }
  me.answer.body.append(data, length);
  return length;
}

std::size_t transfer::state::on_header(char* data, std::size_t size, std::size_t count,
                                       void* self) {
  auto& me = *static_cast<state*>(self);
  std::size_t length = size * count;
  me.header_bytes += length;
  if (me.header_bytes > answer_header_bytes_max) {
    me.stopped = stop_reason::headers_too_large;
    return CURL_WRITEFUNC_ERROR;
  }
  return me.take_header({data, length}) ? length : CURL_WRITEFUNC_ERROR;
}

/// Trailers are ignored; encodings that were not asked for are refused, stacked ones too.
bool transfer::state::take_header(std::string_view line) {
  if (headers_done)
    return true;
  if (line.starts_with("HTTP/")) {
    answer.headers.clear(); // what came before was an interim answer (1xx)
    auto space = line.find(' ');
    int status = 0;
    if (space != std::string_view::npos)
      std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
    answer.status = status;
    return true;
  }
  std::string_view content = trimmed(line);
  if (content.empty()) {
    headers_done = answer.status >= 200;
    return true;
  }
  auto colon = content.find(':');
  if (colon == std::string_view::npos)
    return true;
  std::string name = lower(trimmed(content.substr(0, colon)));
  std::string value(trimmed(content.substr(colon + 1)));
  bool repeated = answer.headers.contains(name);
  if (name == "content-encoding") {
    std::string encoding = lower(value);
    if (repeated || (encoding != "gzip" && encoding != "x-gzip" && encoding != "identity")) {
      stopped = stop_reason::encoding;
      return false;
    }
  }
  std::string& slot = answer.headers[std::move(name)];
  slot = repeated ? slot + ", " + value : std::move(value);
  return true;
}

int transfer::state::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<state*>(self)->context.cancelled.load(std::memory_order_relaxed) ? 1 : 0;
}

CURLcode transfer::state::on_tls_context(CURL*, void* ssl_context, void* self) {
  auto& me = *static_cast<state*>(self);
  bool installed = me.material->install(static_cast<ssl_ctx_st*>(ssl_context), &me.alert);
  return installed ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

result<CURLcode> transfer::state::drive() {
  no_sigpipe quiet;
  if (::curl_multi_add_handle(multi.get(), easy.get()) != CURLM_OK)
    return failure(errc::internal, "", "libcurl refused the call");
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  for (;;) {
    int running = 0;
    CURLMcode fault = ::curl_multi_perform(multi.get(), &running);
    int left = 0;
    if (const CURLMsg* message = ::curl_multi_info_read(multi.get(), &left);
        message != nullptr && message->msg == CURLMSG_DONE) {
      code = message->data.result;
      break;
    }
    if (fault != CURLM_OK || running == 0 || context.cancelled.load(std::memory_order_relaxed))
      break;
    ::curl_multi_poll(multi.get(), nullptr, 0, poll_ms, nullptr);
  }
  ::curl_multi_remove_handle(multi.get(), easy.get());
  return code;
}

/// Connected, TLS included, and about to send. Asked here and not by counters, because libcurl
/// sends again by itself when a kept connection ends without an answer: once sent is sent.
int transfer::state::on_ready(void* self, char*, char*, int, int) {
  static_cast<state*>(self)->sent = true;
  return CURL_PREREQFUNC_OK;
}

error transfer::state::classify(CURLcode code) const {
  std::string said = words[0] != '\0' ? words.data() : ::curl_easy_strerror(code);
  auto make = [&](errc kind, std::string_view sentence) {
    return error{kind, "", std::string(sentence) + ": " + printable(said, 200)};
  };
  const auto stranger = [](const std::string& why) {
    return error{errc::unauthorized, "server", "is not who it must be: " + printable(why, 200)};
  };
  if (context.cancelled.load(std::memory_order_relaxed))
    return {errc::stopping, "", sent ? "cancelled after it was sent" : "cancelled"};
  if (stopped == stop_reason::body_too_large)
    return {errc::too_large, "body",
            "is over " + std::to_string(context.options.body_bytes_max) + " octets"};
  if (stopped == stop_reason::headers_too_large)
    return {errc::too_large, "headers",
            "are over " + std::to_string(answer_header_bytes_max) + " octets"};
  if (stopped == stop_reason::encoding)
    return {errc::unknown_outcome, "", "the answer has an encoding that was not asked for"};
  if (auto at_proxy = proxy_fault(code))
    return *at_proxy;
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return stranger(said);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (!sent)
        return make(errc::bad_input, "the address is no good");
      break;
    default:
      break;
  }
  // TLS within a proxy's TLS: libcurl loses its own reason while it sends the alert.
  if (alert < 0 && !sent && tls::refuses_certificate(-alert, true))
    return stranger(said + ", alert " + std::to_string(-alert));
  // In TLS 1.3 the refusal of our certificate comes after we think the handshake done.
  if (tls::refuses_certificate(alert, sent) && answer.status == 0)
    return make(errc::unauthorized,
                "the server refused our certificate, alert " + std::to_string(alert));
  if (code == CURLE_OPERATION_TIMEDOUT)
    return make(sent ? errc::unknown_outcome : errc::unavailable, "out of time");
  return sent ? make(errc::unknown_outcome, "no whole answer")
              : make(errc::unavailable, "no connection");
}

/// Nothing if it was not the proxy that stood in the way.
std::optional<error> transfer::state::proxy_fault(CURLcode code) const {
  if (!context.options.proxy || sent)
    return std::nullopt;
  std::string said = printable(words[0] != '\0' ? words.data() : ::curl_easy_strerror(code), 200);
  if (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY)
    return error{errc::unavailable, "proxy", "cannot be reached: " + said};
  long unverified = 0;
  ::curl_easy_getinfo(easy.get(), CURLINFO_PROXY_SSL_VERIFYRESULT, &unverified);
  if (over_secure_proxy() && code == CURLE_PEER_FAILED_VERIFICATION && unverified != 0)
    return error{errc::unauthorized, "proxy", "is not who it must be: " + said};
  long status = 0; // of CONNECT; 0 if there was no answer to it
  ::curl_easy_getinfo(easy.get(), CURLINFO_HTTP_CONNECTCODE, &status);
  if (status < 300)
    return std::nullopt;
  if (status == 407)
    return error{errc::unauthorized, "proxy",
                 context.options.proxy->user.empty() ? "wants credentials (HTTP 407)"
                                                     : "refuses the credentials (HTTP 407)"};
  return error{errc::unavailable, "proxy",
               "does not let us through: HTTP " + std::to_string(status)};
}

/// libcurl's own decoding takes a cut gzip body for a whole one, so it is done here.
result<void> transfer::state::open_body() {
  auto encoding = answer.headers.find("content-encoding");
  if (encoding == answer.headers.end() || lower(encoding->second) == "identity"
      || answer.body.empty())
    return {};
  auto plain = gunzip(answer.body, context.options.body_bytes_max);
  if (!plain && plain.error().code == errc::bad_input)
    return failure(errc::unknown_outcome, "", "no whole answer: its gzip data is damaged");
  if (!plain)
    return failure(plain.error());
  answer.body = std::move(*plain);
  return {};
}

result<response> transfer::state::conclude(CURLcode code) {
  if (code != CURLE_OK)
    return failure(classify(code));
  if (!headers_done) // libcurl takes a connection that ends between two header lines for an answer
    return failure(errc::unknown_outcome, "", "no whole answer: it ends within its headers");
  if (auto opened = open_body(); !opened)
    return failure(opened.error());
  if (auto wait = answer.headers.find("retry-after"); wait != answer.headers.end())
    answer.retry_after_ms = read_retry_after(wait->second, system_clock().wall());
  return std::move(answer);
}

transfer::transfer(const transfer_context& context) : state_(std::make_unique<state>(context)) {
  state_->prepare();
}
/// Saying goodbye to a server that is gone would raise SIGPIPE.
transfer::~transfer() {
  no_sigpipe quiet;
  state_.reset();
}

bool transfer::usable() const noexcept { return state_->usable; }

result<response> transfer::run(const transfer_order& order) {
  if (auto begun = state_->begin(order); !begun)
    return failure(begun.error());
  auto code = state_->drive();
  if (!code)
    return failure(code.error());
  return state_->conclude(*code);
}

bool transfer::made_with(
  const std::shared_ptr<const tls::client_material>& material) const noexcept {
  return state_->material == material;
}
void transfer::wake() noexcept { ::curl_multi_wakeup(state_->multi.get()); }

} // namespace pfx::connect::http
