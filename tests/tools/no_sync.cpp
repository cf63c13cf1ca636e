// A disk that lies: preloaded into a process, it swallows every sync and says that it was done. The
// campaign of power cuts must notice it, or its silence about an honest disk means nothing.
#include <cstddef>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {

int fsync(int) { return 0; }
int fdatasync(int) { return 0; }
int syncfs(int) noexcept { return 0; }
void sync() noexcept {}
int msync(void*, std::size_t, int) { return 0; }
int sync_file_range(int, __off64_t, __off64_t, unsigned) { return 0; }

} // extern "C"
