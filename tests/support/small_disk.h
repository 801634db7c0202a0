// A disk of 64 KiB, to be filled; needs the right to mount.
#pragma once

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temp_folder.h"

namespace headgate::test {

class SmallDisk {
 public:
  SmallDisk() {
    std::filesystem::create_directory(path());
    is_there_ = mount("none", path().c_str(), "tmpfs", 0, "size=64k") == 0;
  }
  ~SmallDisk() {
    // Whoever still has a file of it open is stopped by now, or soon.
    const bool is_gone = !is_there_ || umount2(path().c_str(), MNT_DETACH) == 0;
    EXPECT_TRUE(is_gone) << path();
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_there() const { return is_there_; }
  std::string path() const { return folder_ / "disk"; }
  // To the last byte.
  void Fill() const {
    std::ofstream filler(filler_path(), std::ios::binary);
    while (filler.write(std::string(512, 'x').c_str(), 512).flush()) {
    }
  }
  void MakeRoom() const { std::filesystem::remove(filler_path()); }
  void TakeNoWrites(bool is_read_only) const {
    const unsigned long flags = MS_REMOUNT | (is_read_only ? MS_RDONLY : 0);
    EXPECT_EQ(mount("none", path().c_str(), "tmpfs", flags, "size=64k"), 0);
  }

 private:
  std::string filler_path() const { return path() + "/filler"; }

  const TempFolder folder_;
  bool is_there_ = false;
};

}  // namespace headgate::test
