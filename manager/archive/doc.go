// Package archive is the form of a manager's backup: a tar file compressed by gzip, which
// people can open without Cassini. It begins with cassini-backup.json, which says what it
// is, and ends with SHA256SUMS, without which it is not whole. Between them stand the
// files of the data directory that a manager cannot make anew.
package archive

import (
	"errors"
	"io"
	"time"
)

// Errors of reading a backup.
var (
	// ErrNotWhole says that a backup is cut short or was changed.
	ErrNotWhole = errors.New("the backup is not whole")
	// ErrFormat says that it is no backup, or one of a newer Cassini.
	ErrFormat = errors.New("not a backup that this Cassini can read")
)

const (
	manifestName = "cassini-backup.json"
	sumsName     = "SHA256SUMS"
	format       = 1
	maxFiles     = 16
	maxSmall     = 1 << 20 // bytes of the manifest and of the sums
)

// Manifest says what a backup is of.
type Manifest struct {
	Format  int       `json:"format"`
	Cassini string    `json:"cassini"` // version
	Host    string    `json:"host"`
	Time    time.Time `json:"time"` // before anything was read
	Files   []string  `json:"files"`
}

// Part is one file as it was at a moment.
type Part struct {
	Name  string
	Size  int64
	Write func(io.Writer) error // writes exactly Size bytes
	Close func() error          // lets go of what keeps the moment
}

// Source begins to read a file.
type Source func() (Part, error)
