package debian

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// CacheDir is the directory that keeps kernels and QEMU unless somebody names another:
// CASSINI_VM_CACHE, or cassini in the user's cache directory.
func CacheDir() (string, error) {
	if dir := os.Getenv("CASSINI_VM_CACHE"); dir != "" {
		return dir, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache directory: %w", err)
	}
	return filepath.Join(user, "cassini"), nil
}

// Lock makes a cache and takes it for this process, until the file is closed. It waits for others.
func Lock(dir string, logger *slog.Logger) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache: %w", err)
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("lock the cache: %w", err)
	}
	const mine = syscall.LOCK_EX | syscall.LOCK_NB
	if syscall.Flock(int(lock.Fd()), mine) == nil {
		return lock, nil
	}
	logger.Info("another run uses the cache: waiting for it", "cache", dir)
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("lock the cache: %w", err)
	}
	return lock, nil
}
