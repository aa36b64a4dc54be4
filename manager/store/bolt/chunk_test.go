package bolt

import (
	"testing"

	"cassini/manager/store"
	"cassini/manager/store/storetest"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// TestReadPassesOverBadEntries counts what cannot be decoded, also where it is the last, and
// takes nothing of it for the next one.
func TestReadPassesOverBadEntries(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var keys []store.Key
	for _, host := range []string{"a", "b", "b", "b"} {
		doc := storetest.Doc(host, "p", "k", len(keys))
		doc.Progress = len(keys) == 0
		key, err := s.Append(t.Context(), []model.Document{doc, storetest.Doc(host, "q", "", 1)})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key...)
	}
	err = s.db.Load().Update(func(tx *bolt.Tx) error {
		for key, v := range map[store.Key]string{
			keys[2]: "\n{\"host\":\"elsewhere\",\"package\":\"r\",\"key\":\"x\",\"time\":\"yesterday\"}\n",
			keys[5]: "no line",
			keys[7]: "",
		} {
			if err := tx.Bucket(bucketLog).Put([]byte(key), []byte(v)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var c store.Chunk
	for range 2 { // in the same memory
		if err := s.Read(t.Context(), "", "", &c); err != nil {
			t.Fatal(err)
		}
		if c.Bad != 3 || c.Last != keys[7] || len(c.Entries) != 5 {
			t.Fatalf("%d entries up to %s, %d bad", len(c.Entries), c.Last, c.Bad)
		}
		for i, want := range []int{0, 1, 3, 4, 6} {
			if e := c.Entries[i]; e.Key != keys[want] || e.Document.Host != []string{"a", "b", "b", "b"}[want/2] || e.Document.Key == "k" != (want%2 == 0) || e.Document.Progress != (want == 0) {
				t.Errorf("%+v is the entry of %s", e, keys[want])
			}
		}
	}
}
