package backup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"cassini/manager/archive"
	"cassini/manager/store/bolt"
)

// Offline writes a backup of a directory on which no manager runs. Errors wrap ErrNothing,
// store.ErrLocked or the cause.
func Offline(w io.Writer, dir string, m archive.Manifest) (err error) {
	if _, err := os.Stat(filepath.Join(dir, bolt.FileName)); err != nil {
		return fmt.Errorf("back up %s: %w in it: %w", dir, ErrNothing, err)
	}
	lock, err := bolt.Lock(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := Finish(dir); err != nil {
		return err
	}
	var sources []archive.Source
	for _, name := range files() {
		if _, err := os.Stat(filepath.Join(dir, name)); errors.Is(err, os.ErrNotExist) {
			continue
		}
		sources = append(sources, func() (archive.Part, error) {
			if isDatabase(name) {
				return archive.FileDatabase(dir, name)
			}
			p, _, err := archive.Small(dir, name)
			return p, err
		})
	}
	return archive.Write(w, m, sources)
}
