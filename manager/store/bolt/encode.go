package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
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
	return []byte(n.Host + "\x00" + n.Package + "\x00" + n.Key)
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

func (n name) encode() []byte {
	if n.row.IsZero() {
		return []byte(n.newest)
	}
	return fmt.Appendf(nil, "%s\n%d", n.newest, n.row.UnixMicro())
}

func parseName(v []byte) name {
	key, row, found := bytes.Cut(v, []byte("\n"))
	n := name{newest: store.Key(key)}
	var micros int64
	if _, err := fmt.Sscanf(string(row), "%d", &micros); found && err == nil {
		n.row = time.UnixMicro(micros)
	}
	return n
}

func encodeEntry(prev store.Key, d model.Document) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(string(prev))
	b.WriteByte('\n')
	if len(d.Body) == 0 {
		d.Body = nil
	}
	if err := json.NewEncoder(&b).Encode(d); err != nil {
		return nil, fmt.Errorf("encode document %s: %w", d.Name, err)
	}
	return b.Bytes(), nil
}

// prevOf is the key of the entry before one of the same name.
func prevOf(v []byte) store.Key {
	prev, _, _ := bytes.Cut(v, []byte("\n"))
	return store.Key(prev)
}

func decodeEntry(k, v []byte) (store.Entry, error) {
	e := store.Entry{Key: store.Key(k)}
	_, doc, found := bytes.Cut(v, []byte("\n"))
	if !found {
		return e, fmt.Errorf("%w: %s", store.ErrBadEntry, k)
	}
	if err := json.Unmarshal(doc, &e.Document); err != nil {
		return e, fmt.Errorf("%w: %s: %w", store.ErrBadEntry, k, err)
	}
	return e, nil
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
