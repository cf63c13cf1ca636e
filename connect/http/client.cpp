// The client: checks its options once, lends transfers to the calling threads, takes them back.
#include "connect/http/client.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <curl/curl.h>

#include "connect/http/transfer.hpp"

namespace pfx::connect::http {

namespace {

constexpr std::size_t key_file_bytes_max = 64u << 10;

struct url_end {
  void operator()(CURLU* url) const noexcept { ::curl_url_cleanup(url); }
};

bool has_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  bool has = ::curl_url_get(url, part, &text, 0) == CURLUE_OK && text != nullptr && *text != '\0';
  ::curl_free(text);
  return has;
}

result<void> check_address(client_options& options) {
  while (options.base_url.ends_with('/'))
    options.base_url.pop_back();
  std::string_view scheme = options.unix_socket.empty() ? "https://" : "http://";
  if (!options.base_url.starts_with(scheme))
    return failure(errc::bad_input, "base_url", "must begin with " + std::string(scheme));
  std::unique_ptr<CURLU, url_end> url(::curl_url());
  if (!url || ::curl_url_set(url.get(), CURLUPART_URL, options.base_url.c_str(), 0) != CURLUE_OK)
    return failure(errc::bad_input, "base_url", "is not an address");
  for (CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT})
    if (has_part(url.get(), part))
      return failure(errc::bad_input, "base_url", "has more than host, port and path");
  return {};
}

/// RFC 7617 2: the user holds no colon; neither holds a control character.
bool is_credential(std::string_view text, bool with_colon) {
  return std::none_of(text.begin(), text.end(), [with_colon](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || (c == ':' && !with_colon);
  });
}

/// Never repeats what it refuses: people put passwords into addresses.
result<void> check_proxy(client_options& options) {
  if (!options.proxy)
    return {};
  proxy_options& proxy = *options.proxy;
  const bool secure = proxy.url.starts_with("https://");
  if (!options.unix_socket.empty())
    return failure(errc::bad_input, "proxy", "has no use on a Unix socket");
  if (!secure && !proxy.url.starts_with("http://"))
    return failure(errc::bad_input, "proxy.url", "must begin with http:// or https://");
  while (proxy.url.ends_with('/') && !proxy.url.ends_with("://"))
    proxy.url.pop_back();
  std::unique_ptr<CURLU, url_end> url(::curl_url());
  if (!url || ::curl_url_set(url.get(), CURLUPART_URL, proxy.url.c_str(), 0) != CURLUE_OK)
    return failure(errc::bad_input, "proxy.url", "is not an address");
  if (has_part(url.get(), CURLUPART_USER) || has_part(url.get(), CURLUPART_PASSWORD))
    return failure(errc::bad_input, "proxy.url",
                   "holds credentials, which have fields of their own");
  if (proxy.url.find_first_of("/?#", secure ? 8 : 7) != std::string::npos)
    return failure(errc::bad_input, "proxy.url", "has more than scheme, host and port");
  if (proxy.user.empty() && !proxy.password.empty())
    return failure(errc::bad_input, "proxy.user", "is missing beside a password");
  if (!is_credential(proxy.user, false))
    return failure(errc::bad_input, "proxy.user", "has a colon or a control character");
  if (!is_credential(proxy.password.text(), true))
    return failure(errc::bad_input, "proxy.password", "has a control character");
  if (!secure && !proxy.trusted_roots_pem.empty())
    return failure(errc::bad_input, "proxy.trusted_roots_pem", "has no use without https://");
  if (secure && (options.identity || options.shared_identity))
    return failure(errc::not_supported, "proxy.url",
                   "an https:// proxy would be shown the client certificate; use http://");
  if (secure && !proxy.trusted_roots_pem.empty())
    if (auto roots = tls::client_material::make(proxy.trusted_roots_pem, {}, {}); !roots)
      return failure(errc::bad_input, "proxy.trusted_roots_pem", roots.error().message);
  return {};
}

/// Reads a private key's file; refuses one that others may read.
result<secret_bytes> read_key_file(const std::string& path) {
  auto fail = [](const char* sentence) {
    return failure(errc::bad_input, "identity.key_pem_path", sentence);
  };
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return failure(errc::io, "identity.key_pem_path", "cannot be opened");
  struct stat about {};
  bool known = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
  bool open_to_others = (about.st_mode & 077) != 0;
  secret_bytes text(known && about.st_size > 0 && about.st_size <= off_t{key_file_bytes_max}
                      ? static_cast<std::size_t>(about.st_size)
                      : 0);
  std::size_t filled = 0;
  while (filled < text.size()) {
    ssize_t got = ::read(fd, text.data() + filled, text.size() - filled);
    if (got == 0 || (got < 0 && errno != EINTR))
      break;
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  ::close(fd);
  if (known && open_to_others)
    return fail("may be read by others; its mode must be 0600");
  if (text.empty() || filled != text.size())
    return fail("is no file that holds a key");
  return text;
}

result<std::shared_ptr<const tls::client_material>> make_material(client_options& options) {
  std::string_view certificate;
  secret_bytes key;
  if (options.shared_identity) {
    auto [who, edition] = options.shared_identity->current();
    options.identity = std::move(who);
  }
  if (options.identity) {
    certificate = options.identity->certificate_pem;
    if (certificate.empty())
      return failure(errc::bad_input, "identity.certificate_pem", "is empty");
    key = std::move(options.identity->key_pem);
    if (key.empty()) {
      auto read = read_key_file(options.identity->key_pem_path);
      if (!read)
        return failure(read.error());
      key = std::move(*read);
    }
  }
  auto material = tls::client_material::make(options.trusted_roots_pem, certificate, key.text());
  if (material && options.proxy && options.proxy->url.starts_with("https://"))
    return tls::client_material::make({}, {}, {}); // transfer.cpp says who verifies the server
  return material;
}

void start_curl_once() {
  static const bool started = ::curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  (void)started;
}

} // namespace

/// Owner of all transfers. At most `connections_max` rest here with their connections; a call that
/// finds none makes its own, so that their number is bounded by the calling threads.
struct client::state {
  result<response> call(transfer_order order, const std::string& path);
  std::unique_ptr<transfer> borrow();
  void give_back(std::unique_ptr<transfer> used, bool keep);
  void forget_resting();
  void follow_identity();

  transfer_context context;
  std::mutex mutex;          ///< guards what follows, and context.material
  std::uint64_t edition = 0; ///< of the shared identity that `material` was made from
  std::vector<std::unique_ptr<transfer>> resting;
  std::vector<transfer*> working;
};

std::unique_ptr<transfer> client::state::borrow() {
  std::unique_ptr<transfer> out;
  {
    std::lock_guard lock(mutex);
    if (!resting.empty()) {
      out = std::move(resting.back());
      resting.pop_back();
    }
  }
  std::lock_guard lock(mutex);
  if (!out)
    out = std::make_unique<transfer>(context); // takes its share of the material along
  working.push_back(out.get());
  return out;
}

void client::state::give_back(std::unique_ptr<transfer> used, bool keep) {
  std::lock_guard lock(mutex);
  std::erase(working, used.get());
  if (keep && used->made_with(context.material) && resting.size() < context.options.connections_max)
    resting.push_back(std::move(used));
}

/// Who we are was told in the handshakes of these connections, and is no longer believed.
void client::state::forget_resting() {
  std::vector<std::unique_ptr<transfer>> gone;
  std::lock_guard lock(mutex);
  gone.swap(resting);
}

/// Takes over an identity that was put into the box since. One that cannot be used changes nothing:
/// the old one is still the better one.
void client::state::follow_identity() {
  const auto& box = context.options.shared_identity;
  if (box == nullptr)
    return;
  {
    std::lock_guard lock(mutex);
    if (box->edition() == edition)
      return;
  }
  auto [who, now] = box->current();
  auto material = tls::client_material::make(context.options.trusted_roots_pem, who.certificate_pem,
                                             who.key_pem.text());
  if (!material)
    return;
  {
    std::lock_guard lock(mutex);
    context.material = std::move(*material);
    edition = now;
  }
  forget_resting();
}

result<response> client::state::call(transfer_order order, const std::string& path) {
  if (context.cancelled.load())
    return failure(errc::stopping, "", "cancelled");
  if (path.find_first_of(std::string_view(" \t\r\n#\0", 6)) != std::string::npos)
    return failure(errc::bad_input, "path", "is not a path");
  follow_identity();
  order.url = context.options.base_url + (path.starts_with('/') ? "" : "/") + path;
  auto at_work = borrow();
  if (!at_work->usable()) {
    give_back(std::move(at_work), false);
    return failure(errc::not_supported, "", "this libcurl lacks what the client needs");
  }
  auto answer = at_work->run(order);
  const bool refused = answer && (answer->status == 401 || answer->status == 403);
  give_back(std::move(at_work), answer && !refused);
  if (refused)
    forget_resting();
  return answer;
}

void identity_box::put(tls_identity who) {
  std::lock_guard lock(mutex_);
  who_ = std::move(who);
  ++edition_;
}

std::uint64_t identity_box::edition() const {
  std::lock_guard lock(mutex_);
  return edition_;
}

std::pair<tls_identity, std::uint64_t> identity_box::current() const {
  std::pair<tls_identity, std::uint64_t> out;
  std::lock_guard lock(mutex_);
  out.first.certificate_pem = who_.certificate_pem;
  out.first.key_pem_path = who_.key_pem_path;
  out.first.key_pem = who_.key_pem.duplicate();
  out.second = edition_;
  return out;
}

client::client(std::unique_ptr<state> s) : state_(std::move(s)) {}
client::~client() = default;

result<std::unique_ptr<client>> client::make(client_options options) {
  start_curl_once();
  if (auto checked = check_address(options); !checked)
    return failure(checked.error());
  if (options.shared_identity && options.identity)
    return failure(errc::bad_input, "identity", "is given twice");
  if (!options.unix_socket.empty() && (options.identity || options.shared_identity))
    return failure(errc::bad_input, "identity", "has no use on a Unix socket");
  if (auto checked = check_proxy(options); !checked)
    return failure(checked.error());
  auto made = std::make_unique<state>();
  if (options.shared_identity)
    made->edition = options.shared_identity->edition();
  auto material = make_material(options);
  if (!material)
    return failure(material.error());
  options.identity.reset();
  made->context.options = std::move(options);
  made->context.material = std::move(*material);
  return std::unique_ptr<client>(new client(std::move(made)));
}

result<response> client::post(const std::string& path, std::string_view body,
                              const call_options& options) {
  return state_->call({.post = true, .url = {}, .body = body, .options = &options}, path);
}

result<response> client::get(const std::string& path, const call_options& options) {
  return state_->call({.post = false, .url = {}, .body = {}, .options = &options}, path);
}

void client::cancel() noexcept {
  state_->context.cancelled.store(true);
  std::lock_guard lock(state_->mutex);
  for (transfer* at_work : state_->working)
    at_work->wake();
}

} // namespace pfx::connect::http
