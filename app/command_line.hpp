// A command line said again, as a shell reads it, without the secret that may stand in it.
#pragma once

#include <string>
#include <vector>

namespace pfx::app {

/// One word, quoted if a shell would read it as something else.
[[nodiscard]] std::string quoted(const std::string& word);

/// `words` from the program's name on. Behind `register` every word that is neither an option nor
/// an option's value becomes CODE: one of them is the one-time code.
[[nodiscard]] std::string said_again(const std::vector<std::string>& words);

} // namespace pfx::app
