// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf_file.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace slurm_adopt::test {
namespace {

class Reader {
public:
    explicit Reader(const std::string& path)
    {
        std::ifstream file(path, std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(file), {});
        header_ = at<Elf64_Ehdr>(0);
        if (std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 || header_.e_ident[EI_CLASS] != ELFCLASS64)
            throw std::runtime_error(path + " is no 64-bit ELF file");
    }

    ElfFile read()
    {
        for (std::size_t i = 0; i < header_.e_phnum; ++i) segment(at<Elf64_Phdr>(header_.e_phoff + i * header_.e_phentsize));
        for (std::size_t i = 0; i < header_.e_shnum; ++i) {
            const auto section = at<Elf64_Shdr>(header_.e_shoff + i * header_.e_shentsize);
            if (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_DYNAMIC) continue;
            const auto strings = at<Elf64_Shdr>(header_.e_shoff + section.sh_link * std::size_t{header_.e_shentsize});
            for (std::size_t offset = 0; offset + section.sh_entsize <= section.sh_size; offset += section.sh_entsize) {
                if (section.sh_type == SHT_DYNSYM) symbol(at<Elf64_Sym>(section.sh_offset + offset), strings.sh_offset);
                if (section.sh_type == SHT_DYNAMIC) dynamic(at<Elf64_Dyn>(section.sh_offset + offset), strings.sh_offset);
            }
        }
        return elf_;
    }

private:
    template <class T>
    T at(std::size_t offset) const
    {
        T value;
        if (offset + sizeof value > bytes_.size()) throw std::runtime_error("cut ELF file");
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return value;
    }
    std::string text(std::size_t offset) const { return std::string(bytes_.c_str() + offset); }

    void segment(const Elf64_Phdr& segment)
    {
        if (segment.p_type == PT_GNU_RELRO) elf_.relro = true;
        if (segment.p_type == PT_GNU_STACK) {
            elf_.has_stack_header = true;
            elf_.executable_stack = (segment.p_flags & PF_X) != 0;
        }
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0 && (segment.p_flags & PF_W) != 0)
            elf_.writable_and_executable = true;
    }

    void symbol(const Elf64_Sym& symbol, std::size_t strings)
    {
        const std::string name = text(strings + symbol.st_name);
        if (name.empty()) return;
        if (symbol.st_shndx == SHN_UNDEF) {
            (ELF64_ST_BIND(symbol.st_info) == STB_WEAK ? elf_.weak : elf_.undefined).insert(name);
        } else if (ELF64_ST_BIND(symbol.st_info) != STB_LOCAL) {
            elf_.exported.insert(name);
        }
    }

    void dynamic(const Elf64_Dyn& entry, std::size_t strings)
    {
        if (entry.d_tag == DT_NEEDED) elf_.needed.push_back(text(strings + entry.d_un.d_val));
        if (entry.d_tag == DT_FLAGS) elf_.flags = entry.d_un.d_val;
        if (entry.d_tag == DT_FLAGS_1) elf_.flags_1 = entry.d_un.d_val;
        if (entry.d_tag == DT_TEXTREL) elf_.text_relocations = true;
        if (entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH) elf_.has_run_path = true;
    }

    std::string bytes_;
    Elf64_Ehdr header_{};
    ElfFile elf_;
};

}  // namespace

ElfFile read_elf(const std::string& path)
{
    return Reader(path).read();
}

}  // namespace slurm_adopt::test
