// The server: one accepting thread, a thread per connection up to a limit, and an orderly end.
#include "connect/http/server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect/http/exchange.hpp"
#include "connect/http/listener.hpp"
#include "connect/http/stream.hpp"
#include "connect/http/tls.hpp"

namespace pfx::connect::http {

namespace {

constexpr std::int64_t handshake_timeout_ms_max = 10'000;
constexpr std::int64_t full_house_poll_ms = 20;  ///< how often a free place is looked for
constexpr std::int64_t idle_before_end_ms = 200; ///< in a full house: rest longer than this and go
constexpr std::int64_t accept_pause_ms = 50;     ///< after accept failed for want of descriptors

/// Threads of a library take no signals; SIGPIPE becomes EPIPE.
class all_signals_blocked {
public:
  all_signals_blocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  all_signals_blocked(const all_signals_blocked&) = delete;
  all_signals_blocked& operator=(const all_signals_blocked&) = delete;

private:
  sigset_t before_{};
};

/// A connection as others see it. The descriptor is closed only after the entry is gone.
struct guest {
  int fd = -1;
  std::int64_t idle_since = -1; ///< steady_ms; -1 while at work
};
using guest_list = std::list<guest>;

} // namespace

/// Owner of the threads. Lives until the last of them has ended.
struct server::state {
  ~state() {
    if (stop_fd >= 0)
      ::close(stop_fd);
  }

  void accept_loop();
  bool wait_for_place();
  void end_longest_idle();
  void admit(int fd);
  void work_loop();
  void serve(guest_list::iterator self);
  [[nodiscard]] ssl_ctx_st* shown() const;
  bool serve_one(stream& over, exchange& talk, const peer& from);
  server_response answer(const server_request& request) noexcept;
  void mark(guest_list::iterator self, bool idle);
  void stop(std::int64_t deadline_ms);

  server_options options;
  handler handle;
  tls::context context;
  std::vector<tls::context> others; ///< of options.others
  listener door;
  int stop_fd = -1; ///< eventfd; readable from the moment of stopping, for ever

  std::mutex mutex;
  std::condition_variable changed;
  guest_list guests;                          // all admitted, at most connections_max
  std::deque<guest_list::iterator> newcomers; // admitted, not yet with a worker
  std::size_t idle_workers = 0;
  bool stopping = false;
  std::vector<std::thread> workers;
  std::thread acceptor;
};

// -- letting in ------

void server::state::end_longest_idle() {
  auto longest = guests.end();
  for (auto it = guests.begin(); it != guests.end(); ++it)
    if (it->idle_since >= 0 && (longest == guests.end() || it->idle_since < longest->idle_since))
      longest = it;
  // Only the reading half: a request that is in the socket already is still served.
  if (longest != guests.end() && steady_ms() - longest->idle_since >= idle_before_end_ms)
    ::shutdown(longest->fd, SHUT_RD);
}

bool server::state::wait_for_place() {
  std::unique_lock lock(mutex);
  bool wanted = false;
  while (!stopping && guests.size() >= options.connections_max) {
    if (wanted)
      end_longest_idle();
    pollfd knock{door.fd(), POLLIN, 0};
    wanted = ::poll(&knock, 1, 0) == 1;
    changed.wait_for(lock, std::chrono::milliseconds(full_house_poll_ms));
  }
  return !stopping;
}

void server::state::admit(int fd) {
  std::lock_guard lock(mutex);
  if (stopping) {
    ::close(fd);
    return;
  }
  newcomers.push_back(guests.insert(guests.end(), {fd, -1}));
  if (idle_workers < newcomers.size() && workers.size() < options.connections_max) {
    try {
      workers.emplace_back([this] { work_loop(); });
    } catch (const std::system_error&) {
      if (workers.empty()) { // nobody will ever come for it
        guests.erase(newcomers.back());
        newcomers.pop_back();
        ::close(fd);
      }
    }
  }
  changed.notify_all();
}

void server::state::accept_loop() {
  while (wait_for_place()) {
    std::array<pollfd, 2> watched{pollfd{door.fd(), POLLIN, 0}, pollfd{stop_fd, POLLIN, 0}};
    if (::poll(watched.data(), 2, -1) < 0 && errno != EINTR)
      continue;
    if (watched[1].revents != 0)
      return;
    int fd = door.accept();
    if (fd >= 0) {
      admit(fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      pollfd stop{stop_fd, POLLIN, 0};
      ::poll(&stop, 1, static_cast<int>(accept_pause_ms));
    }
  }
}

// -- serving ------

void server::state::work_loop() {
  for (;;) {
    guest_list::iterator mine;
    {
      std::unique_lock lock(mutex);
      ++idle_workers;
      changed.wait(lock, [this] { return stopping || !newcomers.empty(); });
      --idle_workers;
      if (newcomers.empty())
        return;
      mine = newcomers.front();
      newcomers.pop_front();
    }
    serve(mine);
  }
}

void server::state::mark(guest_list::iterator self, bool idle) {
  std::lock_guard lock(mutex);
  self->idle_since = idle ? steady_ms() : -1;
}

/// Whose certificate the next handshake shows.
ssl_ctx_st* server::state::shown() const {
  const std::size_t at = options.which ? options.which() : 0;
  return at > 0 && at <= others.size() ? others[at - 1].get() : context.get();
}

void server::state::serve(guest_list::iterator self) {
  stream over(self->fd);
  auto leave = [&] {
    std::lock_guard lock(mutex);
    guests.erase(self);
    changed.notify_all();
  };
  try {
    bool welcome = true;
    if (context) {
      std::int64_t limit = std::min(options.request_timeout_ms, handshake_timeout_ms_max);
      io_status shaken = over.handshake(shown(), steady_ms() + limit);
      welcome = shaken == io_status::done;
      if (shaken == io_status::closed)
        over.linger(); // so that the alert arrives
    }
    if (welcome) {
      peer from{over.peer_certificate(), over.peer_user()};
      exchange talk(over, options);
      for (bool more = true; more;) {
        mark(self, true);
        bool ready = talk.has_input()
          || over.wait(stop_fd, steady_ms() + options.idle_timeout_ms) == io_status::done;
        mark(self, false);
        more = ready && serve_one(over, talk, from);
      }
    }
  } catch (const std::exception&) {
    // No memory for a body: this connection ends, the others go on.
  }
  leave();
}

bool server::state::serve_one(stream& over, exchange& talk, const peer& from) {
  incoming in = talk.read();
  if (in.is == incoming::what::end)
    return false;
  if (in.is == incoming::what::refuse) {
    if (talk.write(std::move(in.refusal), false, false) == io_status::done)
      over.linger();
    return false;
  }
  in.value.from = from;
  server_response out = answer(in.value);
  bool stopping_now = false;
  {
    std::lock_guard lock(mutex);
    stopping_now = stopping;
  }
  bool keep = in.keep_alive && !stopping_now && !out.how.close;
  bool written
    = talk.write(std::move(out), keep, in.value.method == "HEAD", stop_fd) == io_status::done;
  if (written && !keep)
    over.say_goodbye();
  return written && keep;
}

server_response server::state::answer(const server_request& request) noexcept {
  try {
    return handle(request);
  } catch (...) {
    // Whatever it was must not end the server; its text may hold what the other side must not see.
    return refusal_of(500, "internalError", "the request could not be served");
  }
}

// -- ending ------

void server::state::stop(std::int64_t deadline_ms) {
  std::unique_lock lock(mutex);
  if (!stopping) {
    stopping = true;
    std::uint64_t one = 1;
    while (::write(stop_fd, &one, sizeof one) < 0 && errno == EINTR) {}
    changed.notify_all();
    std::thread ending = std::move(acceptor);
    lock.unlock();
    if (ending.joinable())
      ending.join();
    door.close();
    lock.lock();
  }
  changed.wait_for(lock, std::chrono::milliseconds(deadline_ms), [this] { return guests.empty(); });
  for (const guest& late : guests)
    ::shutdown(late.fd, SHUT_RDWR);
}

server::server(std::unique_ptr<state> s) : state_(std::move(s)) {}

server::~server() {
  stop();
  for (auto& worker : state_->workers)
    worker.join();
}

result<std::unique_ptr<server>> server::start(server_options options, handler handle) {
  auto made = std::make_unique<state>();
  if (!handle)
    return failure(errc::bad_input, "handle", "is empty");
  if (options.connections_max == 0 || options.header_bytes_max > UINT32_MAX)
    return failure(errc::bad_input, "connections_max", "or header_bytes_max is out of range");
  const bool promised_tls = !options.certificate_pem.empty() || !options.client_roots_pem.empty()
    || !options.others.empty() || !options.unix_socket.empty();
  if (options.plain_public_data && promised_tls)
    return failure(errc::bad_input, "plain_public_data", "does not go with TLS or a Unix socket");
  if (options.unix_socket.empty() && !options.plain_public_data) {
    auto context = tls::make_server_context(options.certificate_pem, options.key_pem.text(),
                                            options.client_roots_pem);
    if (!context)
      return failure(context.error());
    made->context = std::move(*context);
    for (auto& other : options.others) {
      auto further = tls::make_server_context(other.certificate_pem, other.key_pem.text(),
                                              options.client_roots_pem);
      if (!further)
        return failure(further.error());
      made->others.push_back(std::move(*further));
      other.key_pem.wipe();
    }
  }
  options.key_pem.wipe();
  auto door = options.unix_socket.empty() ? listener::tcp(options.address, options.port)
                                          : listener::unix_path(options.unix_socket);
  if (!door)
    return failure(door.error());
  made->door = std::move(*door);
  made->stop_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made->stop_fd < 0)
    return failure(errc::io, "", "no event descriptor");
  made->options = std::move(options);
  made->handle = std::move(handle);
  state* shared = made.get();
  all_signals_blocked quiet;
  try {
    made->acceptor = std::thread([shared] { shared->accept_loop(); });
  } catch (const std::system_error&) {
    return failure(errc::io, "", "no thread");
  }
  return std::unique_ptr<server>(new server(std::move(made)));
}

std::uint16_t server::port() const noexcept { return state_->door.port(); }

void server::stop(std::int64_t deadline_ms) { state_->stop(deadline_ms); }

} // namespace pfx::connect::http
