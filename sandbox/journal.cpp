// Lines, and their group commit.
#include "sandbox/journal.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "core/clock.hpp"

namespace pfx::sandbox {

namespace {

void put_string(std::string& out, std::string_view value) {
  out += '"';
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20 || octet == 0x7f) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", octet);
      out += escaped.data();
    } else {
      out += c;
    }
  }
  out += '"';
}

/// An open file that is closed with the last copy of the commit function.
struct file {
  explicit file(int opened) : descriptor(opened) {}
  ~file() { ::close(descriptor); }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  int descriptor;
};

result<void> write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return failure(errc::io, "journal", std::strerror(errno));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(descriptor) != 0) {
    return failure(errc::io, "journal", std::strerror(errno));
  }
  return {};
}

} // namespace

line::line(std::string_view what) {
  out_ = "{\"what\":";
  put_string(out_, what);
}

line& line::text(std::string_view name, std::string_view value) {
  out_ += ',';
  put_string(out_, name);
  out_ += ':';
  put_string(out_, value);
  return *this;
}

line& line::number(std::string_view name, std::int64_t value) {
  out_ += ',';
  put_string(out_, name);
  out_ += ':' + std::to_string(value);
  return *this;
}

line& line::flag(std::string_view name, bool value) {
  out_ += ',';
  put_string(out_, name);
  out_ += value ? ":true" : ":false";
  return *this;
}

std::string line::finish(std::int64_t wall_ms, std::int64_t boot_ms) const {
  return out_ + ",\"t\":" + std::to_string(wall_ms) + ",\"m\":" + std::to_string(boot_ms) + "}\n";
}

result<std::unique_ptr<journal>> journal::create(const std::string& path) {
  const int descriptor
    = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return failure(errno == EEXIST ? errc::conflict : errc::io, "directory",
                   path + ": " + std::strerror(errno));
  }
  auto opened = std::make_shared<file>(descriptor);
  return with([opened](std::string_view text) { return write_all(opened->descriptor, text); });
}

std::unique_ptr<journal> journal::with(commit_function commit) {
  return std::unique_ptr<journal>(new journal(std::move(commit)));
}

void journal::append(const line& what) {
  const auto& clock = system_clock();
  const std::scoped_lock lock(mutex_);
  ++appended_;
  if (pending_.size() > pending_bytes_max) {
    failed_ = true; // nobody syncs: a bug of the caller must not eat the memory
    return;
  }
  pending_ += what.finish(clock.wall(), clock.boot());
}

result<void> journal::sync() {
  std::unique_lock lock(mutex_);
  const auto mine = appended_;
  while (synced_ < mine && !failed_) {
    if (writing_) {
      done_.wait(lock, [&] { return !writing_; });
      continue;
    }
    writing_ = true;
    const auto upto = appended_;
    std::string piece;
    piece.swap(pending_);
    lock.unlock();
    const auto committed = commit_(piece);
    lock.lock();
    writing_ = false;
    if (committed) {
      synced_ = upto;
    } else {
      failed_ = true;
    }
    done_.notify_all();
  }
  if (synced_ < mine) {
    return failure(errc::io, "journal", "the journal failed and takes nothing more");
  }
  return {};
}

} // namespace pfx::sandbox
