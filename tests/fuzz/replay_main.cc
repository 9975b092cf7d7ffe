// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a fuzz target once for every file of the directories named: the corpus as a test, in any build.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv)
{
    std::size_t replayed = 0;
    for (int i = 1; i < argc; ++i)
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
            if (!file && bytes.empty()) {
                (void)std::fprintf(stderr, "cannot read %s\n", entry.path().c_str());
                return 2;
            }
            // Said before it is run: the last line names the input that does not hold.
            (void)std::fprintf(stderr, "%s\n", entry.path().c_str());
            (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
            ++replayed;
        }
    std::printf("%zu inputs replayed\n", replayed);
    return replayed == 0 ? 1 : 0;
}
