package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"cassini/manager/store"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

const version = "1"

var (
	bucketLog   = []byte("log")
	bucketNames = []byte("names")
	bucketMeta  = []byte("meta")

	metaVersion = []byte("version")
	metaCounts  = []byte("counts")  // entries, names: 8 bytes each, big endian
	metaExpired = []byte("expired") // the last key that retention has looked at
)

func createBuckets(tx *bolt.Tx) error {
	for _, name := range [][]byte{bucketLog, bucketNames, bucketMeta} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketMeta).Put(metaVersion, []byte(version))
}

// nameKey joins the parts by a byte that Validate keeps out of them.
func nameKey(n model.Name) []byte {
	return appendNameKey(make([]byte, 0, len(n.Host)+len(n.Package)+len(n.Key)+2), n)
}

func appendNameKey(k []byte, n model.Name) []byte {
	k = append(append(k, n.Host...), 0)
	k = append(append(k, n.Package...), 0)
	return append(k, n.Key...)
}

func parseNameKey(k []byte) (model.Name, bool) {
	parts := strings.Split(string(k), "\x00")
	if len(parts) != 3 {
		return model.Name{}, false
	}
	return model.Name{Host: parts[0], Package: parts[1], Key: parts[2]}, true
}

// name is a value of the bucket of names.
type name struct {
	newest store.Key
	row    time.Time // receipt of the first of the row of progress entries; zero without one
}

// size is how many bytes a name has at most.
func (n name) size() int { return len(n.newest) + 21 }

func (n name) append(v []byte) []byte {
	v = append(v, n.newest...)
	if n.row.IsZero() {
		return v
	}
	return strconv.AppendInt(append(v, '\n'), n.row.UnixMicro(), 10)
}

func parseName(v []byte) name {
	key, row, found := bytes.Cut(v, []byte("\n"))
	n := name{newest: store.Key(key)}
	if micros, err := strconv.ParseInt(string(row), 10, 64); found && err == nil {
		n.row = time.UnixMicro(micros)
	}
	return n
}

// prevOf is the key of the entry before one of the same name.
func prevOf(v []byte) store.Key {
	prev, _, _ := bytes.Cut(v, []byte("\n"))
	return store.Key(prev)
}

// counts are how many entries and names there are.
type counts struct{ entries, names uint64 }

func readCounts(tx *bolt.Tx) (counts, error) {
	v := tx.Bucket(bucketMeta).Get(metaCounts)
	switch len(v) {
	case 0:
		return counts{}, nil
	case 16:
		return counts{binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])}, nil
	}
	return counts{}, errors.New("counts have a wrong length")
}

func (c counts) write(tx *bolt.Tx) error {
	v := binary.BigEndian.AppendUint64(nil, c.entries)
	return tx.Bucket(bucketMeta).Put(metaCounts, binary.BigEndian.AppendUint64(v, c.names))
}
