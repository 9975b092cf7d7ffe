// SPDX-License-Identifier: GPL-2.0-or-later
// For the headers that tests/CMakeLists.txt has compiled with it.
int main() { return 0; }
