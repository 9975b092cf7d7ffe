// SPDX-License-Identifier: GPL-2.0-or-later
// libstdc++'s own handler writes the demangled name of the exception to stderr, which in sshd is nobody's; with it come the
// demangler and stdio, a third of the module. Defined here, it is not linked in. Nothing in the module calls terminate();
// where a `noexcept` would, the process has to end all the same.
#include <cstdlib>

namespace __gnu_cxx {

// NOLINTBEGIN(bugprone-reserved-identifier): it is libstdc++'s name
void __verbose_terminate_handler();
void __verbose_terminate_handler()
{
    std::abort();
}
// NOLINTEND(bugprone-reserved-identifier)

}  // namespace __gnu_cxx
