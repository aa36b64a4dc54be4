package bolt

import (
	"errors"
	"fmt"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// ErrFormat says that a file is of another format than this Cassini can read.
var ErrFormat = errors.New("the document log is of another format")

// migration brings a file from one format to the next.
type migration func(tx *bolt.Tx) error

// migrations are those that there are, by the format from which they begin. Formats are
// whole numbers; each is reached from the one before it.
func migrations() map[string]migration { return map[string]migration{} }

// migrate brings a file to a format, step by step, each in one transaction that also
// notes the format: a crash leaves one of the two. A file of a newer Cassini is refused.
func migrate(db *bolt.DB, path string, steps map[string]migration, target string) error {
	for {
		from, known := "", false
		err := db.View(func(tx *bolt.Tx) error {
			if b := tx.Bucket(bucketMeta); b != nil {
				from, known = string(b.Get(metaVersion)), true
			}
			return nil
		})
		if err != nil || !known || from == target { // without its bucket it is damaged, which the check tells
			return err
		}
		step, ok := steps[from]
		if !ok {
			return formatError(path, from, target)
		}
		n, err := strconv.Atoi(from)
		if err != nil {
			return formatError(path, from, target)
		}
		err = db.Update(func(tx *bolt.Tx) error {
			if err := step(tx); err != nil {
				return err
			}
			return tx.Bucket(bucketMeta).Put(metaVersion, []byte(strconv.Itoa(n+1)))
		})
		if err != nil {
			return fmt.Errorf("bring %s from format %d to %d: %w; it stays as it was", path, n, n+1, err)
		}
	}
}

func formatError(path, from, target string) error {
	have, err := strconv.Atoi(from)
	want, _ := strconv.Atoi(target) // ours
	if err == nil && have > want {
		return fmt.Errorf("open %s: %w: a newer Cassini wrote it (format %d, this one reads %d): run that one, or restore a backup of before", path, ErrFormat, have, want)
	}
	return fmt.Errorf("open %s: %w: its format is %q, this Cassini reads %q: use the Cassini that wrote it, or another data directory", path, ErrFormat, from, target)
}
