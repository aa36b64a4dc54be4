package archive

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Read reads a backup to its end, and calls each for every file of the data directory in
// it. What each was given counts only once Read returns nil: the sums come last. Errors
// wrap ErrNotWhole or ErrFormat, or are those of each.
func Read(r io.Reader, each func(name string, size int64, content io.Reader) error) (m Manifest, err error) {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return m, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	a := &reader{tar: tar.NewReader(zipped)}
	if m, err = a.manifest(); err != nil {
		return m, err
	}
	for _, name := range m.Files {
		if err := a.entry(name, func(size int64, content io.Reader) error { return each(name, size, content) }); err != nil {
			return m, err
		}
	}
	if err := a.verify(); err != nil {
		return m, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(zipped, maxSmall)) // the end of tar, and the checksum of gzip
	return m, broken(err)
}

// reader reads entries and remembers their sums.
type reader struct {
	tar  *tar.Reader
	sums strings.Builder
}

// broken makes an error of a stream one that says that the backup is not whole.
func broken(err error) error {
	if err == nil || errors.Is(err, ErrNotWhole) || errors.Is(err, ErrFormat) {
		return err
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrNotWhole, err)
}

func (a *reader) manifest() (m Manifest, err error) {
	var raw []byte
	err = a.entry(manifestName, func(size int64, content io.Reader) (err error) {
		raw, err = small(size, content)
		return err
	})
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("%w: %s: %w", ErrFormat, manifestName, err)
	}
	if m.Format != format {
		return m, fmt.Errorf("%w: its format is %d, and %d is known: it was made by Cassini %s", ErrFormat, m.Format, format, m.Cassini)
	}
	if len(m.Files) > maxFiles {
		return m, fmt.Errorf("%w: it has %d files", ErrFormat, len(m.Files))
	}
	for i, name := range m.Files {
		if !plain(name) || slices.Contains(m.Files[:i], name) {
			return m, fmt.Errorf("%w: a file in it is called %q", ErrFormat, name)
		}
	}
	return m, nil
}

// plain says whether a name is that of a file in a data directory, and leads nowhere else.
func plain(name string) bool {
	return name != "" && len(name) < 64 && name[0] != '.' && name != manifestName && name != sumsName &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

func small(size int64, content io.Reader) ([]byte, error) {
	if size > maxSmall {
		return nil, fmt.Errorf("%w: it says that it has %d bytes where it tells what it is", ErrFormat, size)
	}
	return io.ReadAll(content)
}

// entry reads the next entry, which must have the name.
func (a *reader) entry(name string, take func(size int64, content io.Reader) error) error {
	h, err := a.tar.Next()
	if err != nil {
		return broken(err)
	}
	if h.Name != name || h.Typeflag != tar.TypeReg {
		return fmt.Errorf("%w: it has %q where %s should be", ErrFormat, h.Name, name)
	}
	sum := sha256.New()
	content := &marked{r: io.TeeReader(a.tar, sum)}
	if err := take(h.Size, content); err != nil {
		if content.err != nil {
			return broken(err)
		}
		return err
	}
	fmt.Fprintf(&a.sums, "%x  %s\n", sum.Sum(nil), name)
	return nil
}

// marked remembers that reading failed.
type marked struct {
	r   io.Reader
	err error
}

func (m *marked) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}

// verify compares the sums of what was read with those at the end.
func (a *reader) verify() error {
	want := a.sums.String()
	return a.entry(sumsName, func(size int64, content io.Reader) error {
		got, err := small(size, content)
		if err == nil && string(got) != want {
			return fmt.Errorf("%w: its sums do not fit what is in it", ErrNotWhole)
		}
		return err
	})
}
