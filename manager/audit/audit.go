// Package audit keeps who changed what, when, from where and with what result: also what
// was refused. Entries are only ever added, to a bbolt file of the manager's data directory
// (audit.db); the oldest go by age and number. What Add has taken is durable.
package audit

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"cassini/manager/keptfile"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// FileName is the file in the data directory.
const FileName = "audit.db"

// Bounds. Texts of an entry are cut, so that all entries together have a bound.
const (
	DefaultMaxAge     = 400 * 24 * time.Hour
	DefaultMaxEntries = 100_000
	maxText           = 512 // bytes of each text
	dropsAtOnce       = 64  // of the oldest, for each that is added

	// Refusals cost who causes them nothing: so many at once are kept, and so many a
	// second; others are counted.
	refusalsAtOnce   = 60
	refusalsASecond  = 1
	entriesAtOneRead = 10_000
)

// Results of what was asked.
const (
	Done    = "done"
	Refused = "refused" // the asker may not, or asked for nonsense
	Failed  = "failed"  // the manager could not
)

// Entry is one thing that somebody did, or tried to.
type Entry struct {
	Sequence uint64    `json:"sequence"`
	At       time.Time `json:"at"`
	Who      string    `json:"who"`            // a token's holder, an agent, "loopback", "signal SIGHUP"
	From     string    `json:"from,omitempty"` // address of the asker
	Action   string    `json:"action"`         // "token.create", "silence.end", ...
	Target   string    `json:"target,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Result   string    `json:"result"`
	Status   int       `json:"status,omitempty"` // of HTTP
	Why      string    `json:"why,omitempty"`    // it was refused, or failed
}

// Filter selects entries; an empty field matches everything.
type Filter struct {
	Who, Action, Target, Result string
	Since                       time.Time
	Before                      uint64 // only entries with a lower sequence; 0 begins at the newest
	Limit                       int    // 0 is 10,000
}

func (f Filter) match(e Entry) bool {
	return (f.Who == "" || f.Who == e.Who) && (f.Action == "" || f.Action == e.Action) && (f.Target == "" || f.Target == e.Target) &&
		(f.Result == "" || f.Result == e.Result)
}

// Config is what Open needs.
type Config struct {
	Dir        string // exists
	MaxAge     time.Duration
	MaxEntries int // both: 0 is the default
	// Hold says that nothing is to be removed because of its age, since the clock may be wrong.
	// Nil never says so.
	Hold   func() bool
	Logger *slog.Logger
}

// Log is safe for concurrent use.
type Log struct {
	cfg  Config
	file *keptfile.File

	mu      sync.Mutex
	entries int
	oldest  time.Time
	stats   model.AuditStats
	tokens  float64 // refusals that may still be kept
	filled  time.Time
}

var bucket = []byte("entries")

// ErrDamaged says that the file cannot be used.
var ErrDamaged = keptfile.ErrDamaged

// Open opens the log of a data directory, or begins one.
func Open(cfg Config) (*Log, error) {
	cfg.MaxAge, cfg.MaxEntries = cmp.Or(cfg.MaxAge, DefaultMaxAge), cmp.Or(cfg.MaxEntries, DefaultMaxEntries)
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	path := filepath.Join(cfg.Dir, FileName)
	file, err := keptfile.Open(path, "move it away and keep it: a new one begins", bucket)
	if err != nil {
		return nil, err
	}
	l := &Log{cfg: cfg, file: file, tokens: refusalsAtOnce, stats: model.AuditStats{Added: make(map[string]uint64)}}
	err = file.View(func(tx *bolt.Tx) (err error) {
		b := tx.Bucket(bucket)
		l.entries = b.Stats().KeyN
		l.oldest, err = first(b)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// first is when the oldest entry was made.
func first(b *bolt.Bucket) (time.Time, error) {
	k, v := b.Cursor().First()
	if k == nil {
		return time.Time{}, nil
	}
	e, err := decode(k, v)
	return e.At, err
}

// Add writes an entry: its sequence is given here. An error is also logged and counted:
// who did something need not hear of it.
func (l *Log) Add(e Entry) error {
	for _, text := range []*string{&e.Who, &e.From, &e.Action, &e.Target, &e.Detail, &e.Result, &e.Why} {
		*text = cut(*text)
	}
	e.At = e.At.UTC()
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Result == Refused && !l.room(e.At) {
		l.stats.Dropped++
		return nil
	}
	if err := l.write(&e); err != nil {
		l.stats.Failed++
		l.cfg.Logger.Error("the audit log cannot be written", "who", e.Who, "action", e.Action, "target", e.Target, "result", e.Result, "error", err)
		return err
	}
	l.stats.Added[e.Result]++
	return nil
}

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	s = s[:maxText]
	for !utf8.ValidString(s) && len(s) > maxText-utf8.UTFMax {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// room says whether one refusal more is kept.
func (l *Log) room(now time.Time) bool {
	if passed := now.Sub(l.filled).Seconds(); passed > 0 {
		l.tokens, l.filled = min(refusalsAtOnce, l.tokens+passed*refusalsASecond), now
	}
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

func (l *Log) write(e *Entry) error {
	entries, oldest := l.entries, l.oldest
	err := l.file.Update(func(tx *bolt.Tx) (err error) {
		b := tx.Bucket(bucket)
		b.FillPercent = 0.9 // keys come in order
		if e.Sequence, err = b.NextSequence(); err != nil {
			return err
		}
		raw, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if err := b.Put(binary.BigEndian.AppendUint64(nil, e.Sequence), raw); err != nil {
			return err
		}
		entries, err = l.drop(b, l.entries+1, e.At)
		if err != nil {
			return err
		}
		oldest, err = first(b)
		return err
	})
	if err != nil {
		return err
	}
	l.entries, l.oldest = entries, oldest
	return nil
}

// drop forgets the oldest entries beyond the bounds, some at a time. It returns how many
// are left.
func (l *Log) drop(b *bolt.Bucket, entries int, now time.Time) (int, error) {
	var gone [][]byte
	maxAge := l.cfg.MaxAge
	if l.cfg.Hold != nil && l.cfg.Hold() {
		maxAge = math.MaxInt64
	}
	c := b.Cursor()
	for k, v := c.First(); k != nil && len(gone) < dropsAtOnce; k, v = c.Next() {
		e, err := decode(k, v)
		if err != nil {
			return entries, err
		}
		if entries-len(gone) <= l.cfg.MaxEntries && now.Sub(e.At) <= maxAge {
			break
		}
		gone = append(gone, k)
	}
	for _, k := range gone {
		if err := b.Delete(k); err != nil {
			return entries, err
		}
	}
	return entries - len(gone), nil
}

func decode(k, v []byte) (e Entry, err error) {
	if err := json.Unmarshal(v, &e); err != nil || len(k) != 8 {
		return e, fmt.Errorf("entry %x: %w", k, ErrDamaged)
	}
	return e, nil
}

// List finds entries, the newest first.
func (l *Log) List(f Filter) (list []Entry, err error) {
	limit := min(cmp.Or(f.Limit, entriesAtOneRead), entriesAtOneRead)
	list = []Entry{}
	err = l.file.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		k, v := c.Last()
		if f.Before > 0 {
			if k, _ = c.Seek(binary.BigEndian.AppendUint64(nil, f.Before)); k == nil {
				k, v = c.Last()
			} else {
				k, v = c.Prev()
			}
		}
		for ; k != nil && len(list) < limit; k, v = c.Prev() {
			e, err := decode(k, v)
			if err != nil {
				return err
			}
			if !f.Since.IsZero() && e.At.Before(f.Since) {
				return nil
			}
			if f.match(e) {
				list = append(list, e)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Stats are the figures since the start.
func (l *Log) Stats() model.AuditStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Entries, s.Oldest = l.entries, l.oldest
	s.Added = maps.Clone(l.stats.Added)
	return s
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }
