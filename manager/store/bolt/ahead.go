package bolt

import (
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// readAhead lets the kernel read ahead of who walks through the whole file, until the returned
// function is called. bbolt asks it not to, which is right for who looks for one key; but pages that
// are not in memory, as after a boot, then come one by one. It is a hint: where it is refused
// nothing is lost.
func readAhead(tx *bolt.Tx) (end func()) {
	advise(tx, unix.MADV_NORMAL)
	return func() { advise(tx, unix.MADV_RANDOM) }
}

// advise says how the pages of the file will be read.
func advise(tx *bolt.Tx, advice int) {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, tx.DB().Info().Data, uintptr(tx.Size()), uintptr(advice))
}
