package archive

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Write writes a backup. All sources are begun, in their order, before anything is written:
// what they read is of nearly one moment, however slow w is.
func Write(w io.Writer, m Manifest, sources []Source) (err error) {
	var parts []Part
	defer func() {
		for _, p := range parts {
			err = errors.Join(err, p.Close())
		}
	}()
	for _, begin := range sources {
		p, err := begin()
		if err != nil {
			return err
		}
		parts = append(parts, p)
		m.Files = append(m.Files, p.Name)
	}
	m.Format = format
	zipped, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	a := &writer{tar: tar.NewWriter(zipped), at: m.Time}
	if err := a.all(m, parts); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := errors.Join(a.tar.Close(), zipped.Close()); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

// writer writes entries and remembers their sums.
type writer struct {
	tar  *tar.Writer
	at   time.Time
	sums strings.Builder
}

func (a *writer) all(m Manifest, parts []Part) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := a.entry(manifestName, int64(len(raw)), text(raw)); err != nil {
		return err
	}
	for _, p := range parts {
		if err := a.entry(p.Name, p.Size, p.Write); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	sums := []byte(a.sums.String())
	return a.entry(sumsName, int64(len(sums)), text(sums))
}

func text(raw []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(raw)
		return err
	}
}

func (a *writer) entry(name string, size int64, write func(io.Writer) error) error {
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: a.at, Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	sum := sha256.New()
	if err := write(io.MultiWriter(a.tar, sum)); err != nil {
		return err
	}
	fmt.Fprintf(&a.sums, "%x  %s\n", sum.Sum(nil), name)
	return nil
}
