package bolt

import (
	"io"
	"os"

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

// The kernel takes no more of one hint than what it would read ahead, or the disk reads in one step: 128 KiB
// or more.
const (
	aroundBlock = 1 << 20
	aroundHint  = 128 << 10
)

// around reads a file of which all is wanted, in an order of its own: the first time that something of a block
// is read, the kernel is told that all of it will be. Else pages that are not in memory come one by one.
type around struct {
	io.ReaderAt
	hint  func(at, size int64)
	asked []bool // blocks
}

func newAround(f *os.File, size int64) *around {
	return &around{f, func(at, size int64) { _ = unix.Fadvise(int(f.Fd()), at, size, unix.FADV_WILLNEED) }, make([]bool, size/aroundBlock+1)}
}

// ReadAt implements io.ReaderAt.
func (a *around) ReadAt(p []byte, at int64) (int, error) {
	if block := at / aroundBlock; block < int64(len(a.asked)) && !a.asked[block] {
		a.asked[block] = true
		for part := int64(0); part < aroundBlock; part += aroundHint {
			a.hint(block*aroundBlock+part, aroundHint)
		}
	}
	return a.ReaderAt.ReadAt(p, at)
}
