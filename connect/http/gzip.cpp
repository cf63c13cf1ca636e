// gzip over zlib: never holds more than the limit and one block.
#include "connect/http/gzip.hpp"

#include <algorithm>
#include <array>

#include <zlib.h>

namespace pfx::connect::http {

namespace {

constexpr int gzip_only_window = 15 + 16; ///< zlib.h, inflateInit2: the gzip form and no other
constexpr std::size_t piece_bytes_max = 1u << 30; ///< zlib counts in 32 bits

struct inflation {
  z_stream stream{};
  bool ready = ::inflateInit2(&stream, gzip_only_window) == Z_OK;
  inflation() = default;
  inflation(const inflation&) = delete;
  inflation& operator=(const inflation&) = delete;
  ~inflation() {
    if (ready)
      ::inflateEnd(&stream);
  }
};

} // namespace

result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max) {
  auto damaged = [] { return failure(errc::bad_input, "body", "is not whole gzip data"); };
  inflation work;
  if (!work.ready)
    return failure(errc::internal, "", "no memory to decompress");
  if (compressed.size() > piece_bytes_max)
    return failure(errc::too_large, "body", "is too long to decompress");
  z_stream& z = work.stream;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  z.avail_in = static_cast<uInt>(compressed.size());
  std::string out;
  std::array<char, 64u << 10> block;
  int state = Z_OK;
  while (state == Z_OK) {
    z.next_out = reinterpret_cast<Bytef*>(block.data());
    z.avail_out = static_cast<uInt>(block.size());
    state = ::inflate(&z, Z_NO_FLUSH);
    std::size_t made = block.size() - z.avail_out;
    if (made > bytes_max - out.size())
      return failure(errc::too_large, "body",
                     "is over " + std::to_string(bytes_max) + " octets when decompressed");
    out.append(block.data(), made);
    if (state == Z_STREAM_END && z.avail_in > 0) // another member; each takes 18 octets at least
      state = ::inflateReset(&z);
  }
  if (state != Z_STREAM_END || z.avail_in != 0)
    return damaged();
  return out;
}

} // namespace pfx::connect::http
