// SQLite's own access to the disk, with faults between: a sync that hangs or fails. While an object
// of this lives, every database that is opened goes through it. One at a time.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

namespace headgate::journal {

class FaultyDisk {
 public:
  FaultyDisk() {
    real_ = sqlite3_vfs_find(nullptr);
    faulty_ = *real_;
    faulty_.zName = "faulty";
    faulty_.xOpen = Open;
    EXPECT_EQ(sqlite3_vfs_register(&faulty_, 1), SQLITE_OK);
  }
  ~FaultyDisk() {
    Heal();
    sqlite3_vfs_unregister(&faulty_);
    sqlite3_vfs_register(real_, 1);
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  static void Hang() { Set(true, false); }
  static void FailSyncs() { Set(false, true); }
  static void Heal() { Set(false, false); }
  // False if no sync hangs within `patience`.
  static bool WaitUntilItHangs(std::chrono::seconds patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [] { return hanging_ > 0; });
  }
  // False if one still hangs after `patience`.
  static bool WaitUntilNothingHangs(std::chrono::seconds patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [] { return hanging_ == 0; });
  }

 private:
  static void Set(bool hang, bool fail) {
    const std::lock_guard lock(mutex_);
    hang_ = hang;
    fail_ = fail;
    changed_.notify_all();
  }

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    const int result = real_->xOpen(vfs, name, file, flags, out);
    if (file->pMethods == nullptr) return result;
    // The real disk has one table of methods per way of locking; ours differ in one of them.
    const std::lock_guard lock(mutex_);
    const auto [methods, is_new] = faulty_methods_.try_emplace(file->pMethods, *file->pMethods);
    if (is_new) methods->second.xSync = Sync;
    real_sync_ = file->pMethods->xSync;
    file->pMethods = &methods->second;
    return result;
  }

  static int Sync(sqlite3_file* file, int flags) {
    std::unique_lock lock(mutex_);
    if (hang_) {
      ++hanging_;
      changed_.notify_all();
      changed_.wait(lock, [] { return !hang_; });
      --hanging_;
      changed_.notify_all();
    }
    if (fail_) return SQLITE_IOERR_FSYNC;
    const auto sync = real_sync_;
    lock.unlock();
    return sync(file, flags);
  }

  static inline sqlite3_vfs* real_ = nullptr;
  static inline sqlite3_vfs faulty_{};
  static inline std::mutex mutex_;
  static inline std::condition_variable changed_;
  // Protected by mutex_.
  static inline int (*real_sync_)(sqlite3_file*, int) = nullptr;
  static inline std::map<const sqlite3_io_methods*, sqlite3_io_methods> faulty_methods_;
  static inline bool hang_ = false;
  static inline bool fail_ = false;
  static inline int hanging_ = 0;
};

}  // namespace headgate::journal
