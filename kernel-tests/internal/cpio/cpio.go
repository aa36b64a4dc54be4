// Package cpio writes the archives that the kernel unpacks as its initramfs:
// the "newc" format of Documentation/driver-api/early-userspace/buffer-format.rst.
package cpio

import (
	"fmt"
	"io"
	"path"
	"strings"
)

const (
	magic   = "070701"
	trailer = "TRAILER!!!"
	align   = 4
	modeDir = 0o040000
	modeReg = 0o100000
)

// Writer writes one archive. It is for one goroutine. Every entry belongs to
// root and has no time, so that equal content gives equal bytes.
type Writer struct {
	w     io.Writer
	inode int
	dirs  map[string]bool
	err   error
}

// NewWriter begins an archive on w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, dirs: map[string]bool{".": true, "/": true}}
}

// Dir adds a directory and those above it that are not there yet. A sticky one,
// like /tmp, is mode 0o1777.
func (w *Writer) Dir(name string, mode uint32) error {
	name = clean(name)
	if w.dirs[name] {
		return w.err
	}
	if parent := path.Dir(name); !w.dirs[parent] {
		if err := w.Dir(parent, 0o755); err != nil {
			return err
		}
	}
	w.dirs[name] = true
	return w.entry(name, modeDir|mode, nil)
}

// File adds a regular file, and the directories above it.
func (w *Writer) File(name string, mode uint32, data []byte) error {
	name = clean(name)
	if err := w.Dir(path.Dir(name), 0o755); err != nil {
		return err
	}
	return w.entry(name, modeReg|mode, data)
}

// Close ends the archive. It does not close the writer below.
func (w *Writer) Close() error { return w.entry(trailer, 0, nil) }

func (w *Writer) entry(name string, mode uint32, data []byte) error {
	if uint64(len(data)) > 0xffffffff {
		return fmt.Errorf("write cpio entry %s: %d bytes do not fit the format", name, len(data))
	}
	w.inode++
	links := 1
	if mode&modeDir != 0 {
		links = 2
	}
	// inode, mode, uid, gid, links, mtime, size, device and rdevice numbers, name's length, checksum
	header := magic
	for _, field := range []int{w.inode, int(mode), 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0} {
		header += fmt.Sprintf("%08x", field)
	}
	w.write([]byte(pad(header + name + "\x00")))
	w.write(data)
	w.write([]byte(strings.Repeat("\x00", -len(data)&(align-1))))
	if w.err != nil {
		return fmt.Errorf("write cpio entry %s: %w", name, w.err)
	}
	return nil
}

func (w *Writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

func pad(s string) string { return s + strings.Repeat("\x00", -len(s)&(align-1)) }

func clean(name string) string {
	if name = strings.TrimPrefix(path.Clean("/"+name), "/"); name == "" {
		return "."
	}
	return name
}
