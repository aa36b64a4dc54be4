// Package boltfile reads files of bbolt that may be damaged. It takes nothing on trust: a
// page that is wrong is a finding, never a panic, and what hangs on the other pages is
// read all the same. bbolt itself maps the file and believes it.
//
// The format is that of bbolt 1.5 (go.etcd.io/bbolt/internal/common), version 2 of the
// file: pages of meta, free list, branches and leaves, in the byte order of the machine.
package boltfile
