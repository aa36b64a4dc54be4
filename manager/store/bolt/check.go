package bolt

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"cassini/manager/store"
	"cassini/model"
	"cassini/model/boltfile"
)

// maxFindings bounds how many are told one by one.
const maxFindings = 100

// Report is what a check of the file has found.
type Report struct {
	Entries, Names uint64
	Bytes          int64
	Oldest, Newest time.Time
	// Problems are what is wrong, each a line; none says that all is well.
	Problems []string
}

// checker compares the log with what is derived from it.
type checker struct {
	report Report
	path   string
	more   int
	newest map[string]store.Key // by name, as the log has it
	counts []byte
	format string
	expiry []byte
}

func (c *checker) problem(format string, args ...any) {
	if len(c.report.Problems) >= maxFindings {
		c.more++
		return
	}
	c.report.Problems = append(c.report.Problems, fmt.Sprintf(format, args...))
}

// Check reads the file of a store that is not open, all of it, and changes nothing:
// its structure, every document, and whether the names and counts fit the log. An error
// says that it could not be read at all.
func Check(path string) (Report, error) {
	c := &checker{path: path, newest: map[string]store.Key{}}
	f, closeFile, err := openRaw(path)
	if err != nil {
		return c.report, err
	}
	defer closeFile()
	info, err := os.Stat(path)
	if err != nil {
		return c.report, classify("look at", path, err)
	}
	c.report.Bytes = info.Size()
	c.run(f)
	c.report.Problems = append(c.report.Problems, f.Problems()...)
	if c.more > 0 {
		c.report.Problems = append(c.report.Problems, fmt.Sprintf("and %d more", c.more))
	}
	return c.report, nil
}

// openRaw opens a file that may be damaged.
func openRaw(path string) (f *boltfile.File, closeFile func(), err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, classify("open", path, err)
	}
	closeFile = func() { _ = file.Close() } // it was read only
	info, err := file.Stat()
	if err == nil {
		f, err = boltfile.Open(file, info.Size())
	}
	if err != nil {
		closeFile()
		return nil, nil, corrupt(path, err)
	}
	return f, closeFile, nil
}

func (c *checker) run(f *boltfile.File) {
	found := map[string]boltfile.Bucket{}
	for _, b := range f.Buckets() {
		found[b.Name] = b
	}
	walks := map[string]func(k, v []byte) bool{
		string(bucketLog): c.entry, string(bucketMeta): c.meta, string(bucketNames): c.name, string(bucketPositions): c.position,
	}
	for _, name := range [][]byte{bucketLog, bucketMeta, bucketNames, bucketPositions} {
		b, ok := found[string(name)]
		if ok {
			f.Walk(b, walks[b.Name])
		} else if string(name) != string(bucketPositions) { // made with the first
			c.problem("bucket %q is missing", name)
		}
	}
	f.CheckFree()
	for name := range c.newest {
		c.problem("name %q is in the log, and not among the names", name)
	}
	if c.format != version {
		c.problem("the format is %q, this Cassini reads %q", c.format, version)
	}
	if len(c.counts) == 16 {
		if e, n := binary.BigEndian.Uint64(c.counts), binary.BigEndian.Uint64(c.counts[8:]); e != c.report.Entries || n != c.report.Names {
			c.problem("the counts are %d entries and %d names, there are %d and %d", e, n, c.report.Entries, c.report.Names)
		}
	} else if c.report.Entries > 0 {
		c.problem("the counts are missing")
	}
}

// entry looks at one document of the log. Keys come in order.
func (c *checker) entry(k, v []byte) bool {
	c.report.Entries++
	e, err := sound(k, v)
	if err != nil {
		c.problem("entry %s: %v", k, err)
		return true
	}
	at, _ := e.Key.Time() // sound has looked at it
	if c.report.Oldest.IsZero() {
		c.report.Oldest = at
	}
	c.report.Newest = at
	id := string(nameKey(e.Document.Name))
	if before, known := c.newest[id]; known && prevOf(v) != before {
		c.problem("entry %s: the one before it is %q, its history leads to %q", k, before, prevOf(v))
	}
	c.newest[id] = e.Key
	return true
}

// sound decodes an entry, and sees that its key is that of its document.
func sound(k, v []byte) (store.Entry, error) {
	e, err := decodeEntry(k, v)
	if err != nil {
		return e, err
	}
	if err := e.Document.Validate(); err != nil {
		return e, err
	}
	at, err := e.Key.Time()
	if err != nil {
		return e, err
	}
	if store.NewKey(at, e.Document.Name) != e.Key {
		return e, fmt.Errorf("it holds a document of %s", e.Document.Name)
	}
	return e, nil
}

func (c *checker) meta(k, v []byte) bool {
	switch string(k) {
	case string(metaVersion):
		c.format = string(v)
	case string(metaCounts):
		c.counts = v
	case string(metaExpired):
		c.expiry = v
	}
	return true
}

func (c *checker) name(k, v []byte) bool {
	c.report.Names++
	n, ok := parseNameKey(k)
	if !ok {
		c.problem("among the names is %q", k)
		return true
	}
	want := c.newest[string(k)]
	if got := parseName(v).newest; got != want {
		c.problem("name %s: its newest entry is %q, by the names it is %q", describe(n), want, got)
	}
	delete(c.newest, string(k))
	return true
}

func (c *checker) position(host, v []byte) bool {
	if len(v) != positionSize {
		c.problem("the position of host %q has %d bytes", host, len(v))
	}
	return true
}

func describe(n model.Name) string { return fmt.Sprintf("%q", n.String()) }
