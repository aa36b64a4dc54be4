package backup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cassini/manager/archive"
	"cassini/manager/enroll"
	"cassini/manager/rings/keeper"
	"cassini/manager/store"
	"cassini/manager/store/bolt"
	"cassini/model/boltfile"
)

const (
	// staging is where a backup is unpacked: in the directory, on the same file system.
	staging = ".restore"
	// pending stands there once all is verified: from then on the restore is finished,
	// whatever happens.
	pending = "complete"
)

// Result is what was put back.
type Result struct {
	Manifest archive.Manifest
	Log      bolt.Report
	Aside    string // where the files before are, "" without any
}

// Restore unpacks a backup, verifies it, makes it one with which a manager can go on, and
// puts it into the directory. Until all is verified nothing of the directory changes; then
// a crash at any moment leaves what Finish completes at the next start. With replace, files
// that are there are kept in a folder beside them. Errors wrap ErrOccupied,
// archive.ErrNotWhole, archive.ErrFormat, store.ErrCorrupt, store.ErrLocked or the cause.
func Restore(r io.Reader, dir string, replace bool, now time.Time) (result Result, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return result, err
	}
	lock, err := bolt.Lock(dir)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := Finish(dir); err != nil {
		return result, err
	}
	if found := occupied(dir); len(found) > 0 && !replace {
		return result, fmt.Errorf("restore into %s: %w: %s; name another directory, or say --force: they are kept beside", dir, ErrOccupied, strings.Join(found, ", "))
	}
	stage := filepath.Join(dir, staging)
	if err := os.Mkdir(stage, 0o700); err != nil {
		return result, fmt.Errorf("restore: %w", err)
	}
	if result.Manifest, result.Log, err = fill(r, stage, now); err != nil {
		return result, errors.Join(err, os.RemoveAll(stage))
	}
	for _, name := range result.Manifest.Files {
		if err := bolt.OwnAs(filepath.Join(stage, name), dir); err != nil {
			return result, errors.Join(err, os.RemoveAll(stage))
		}
	}
	result.Aside = aside(dir, now)
	if err := decide(stage, plan{Aside: filepath.Base(result.Aside), Files: result.Manifest.Files}); err != nil {
		return result, errors.Join(err, os.RemoveAll(stage))
	}
	return result, Finish(dir)
}

// plan is what a restore that is verified has yet to do.
type plan struct {
	Aside string   `json:"aside"` // folder in the directory for what was there; "." without any
	Files []string `json:"files"`
}

// decide makes a restore one that will be finished.
func decide(stage string, p plan) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	part := filepath.Join(stage, pending+".part")
	if err := writeDurably(part, bytes.NewReader(raw)); err != nil {
		return err
	}
	if err := os.Rename(part, filepath.Join(stage, pending)); err != nil {
		return err
	}
	return bolt.SyncDir(stage)
}

// occupied are files of a manager that are in a directory.
func occupied(dir string) (names []string) {
	for _, name := range files() {
		if there(dir, name) {
			names = append(names, name)
		}
	}
	return names
}

// aside is where the files before go.
func aside(dir string, now time.Time) string {
	if len(occupied(dir)) == 0 {
		return ""
	}
	return filepath.Join(dir, "before-restore-"+now.UTC().Format("20060102T150405.000Z"))
}

// fill unpacks, verifies and prepares.
func fill(r io.Reader, stage string, now time.Time) (m archive.Manifest, log bolt.Report, err error) {
	m, err = archive.Read(r, func(name string, _ int64, content io.Reader) error {
		if !known(name) {
			return fmt.Errorf("%w: it has a file %q: was it made by a newer Cassini?", archive.ErrFormat, name)
		}
		return writeDurably(filepath.Join(stage, name), content)
	})
	if err != nil {
		return m, log, fmt.Errorf("restore: %w", err)
	}
	for _, name := range m.Files {
		path := filepath.Join(stage, name)
		switch name {
		case bolt.FileName:
			log, err = bolt.Check(path)
			err = unsound(name, log.Problems, err)
		default:
			err = checkFile(path)
		}
		if errors.Is(err, store.ErrCorrupt) {
			err = fmt.Errorf("in the backup: %w", err)
		}
		if err == nil {
			err = prepare(path, m.Time, now)
		}
		if err != nil {
			return m, log, fmt.Errorf("restore: %w", err)
		}
	}
	if log.Bytes == 0 {
		return m, log, fmt.Errorf("restore: %w: it has no document log", archive.ErrFormat)
	}
	return m, log, nil
}

func unsound(name string, problems []string, err error) error {
	if err != nil || len(problems) == 0 {
		return err
	}
	return fmt.Errorf("%s: %w: %s", name, store.ErrCorrupt, problems[0])
}

// checkFile verifies the structure of a database.
func checkFile(path string) error {
	if !isDatabase(path) {
		return nil
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	f, err := boltfile.Open(in, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w: %w", filepath.Base(path), store.ErrCorrupt, err)
	}
	f.CheckAll()
	return unsound(filepath.Base(path), f.Problems(), nil)
}

// CheckOthers looks at the structure of a manager's files other than the log, of which the
// manager does not run. Each problem is an error.
func CheckOthers(dir string) (problems []error) {
	for _, name := range databases() {
		if name == bolt.FileName || !there(dir, name) {
			continue
		}
		if err := checkFile(filepath.Join(dir, name)); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

// prepare tells a file what it knows nothing of.
func prepare(path string, from, now time.Time) error {
	switch filepath.Base(path) {
	case keeper.FileName:
		return keeper.Restored(path, now)
	case enroll.StateFile:
		return enroll.Restored(path, from, now)
	}
	return nil
}

// Finish completes a restore that was begun and verified, and removes one that was not.
// A manager calls it before it opens its files.
func Finish(dir string) error {
	stage := filepath.Join(dir, staging)
	raw, err := os.ReadFile(filepath.Join(stage, pending))
	if errors.Is(err, os.ErrNotExist) {
		return os.RemoveAll(stage)
	}
	if err != nil {
		return fmt.Errorf("finish a restore: %w", err)
	}
	var p plan
	if err := json.Unmarshal(raw, &p); err != nil || p.Aside != filepath.Base(p.Aside) {
		return fmt.Errorf("finish a restore: %s cannot be understood (%v): remove %s, and restore again", pending, err, stage)
	}
	if err := p.finish(dir, os.Rename); err != nil {
		return fmt.Errorf("finish a restore: %w", err)
	}
	return nil
}

// finish can be called again after any of its steps.
func (p plan) finish(dir string, rename func(from, to string) error) error {
	stage, keep := filepath.Join(dir, staging), filepath.Join(dir, p.Aside)
	if keep != dir {
		if err := os.MkdirAll(keep, 0o700); err != nil {
			return err
		}
		for _, name := range files() {
			if slices.Contains(p.Files, name) && !there(stage, name) || there(keep, name) || !there(dir, name) {
				continue // what is in the directory is new already, or nothing
			}
			if err := rename(filepath.Join(dir, name), filepath.Join(keep, name)); err != nil {
				return err
			}
		}
		if err := bolt.SyncDir(keep); err != nil {
			return err
		}
	}
	for _, name := range p.Files {
		if !there(stage, name) {
			continue
		}
		if err := rename(filepath.Join(stage, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := bolt.SyncDir(dir); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(stage), bolt.SyncDir(dir))
}

func there(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

func writeDurably(path string, content io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Sync(), f.Close())
}
