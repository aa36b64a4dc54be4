// Package api answers questions about the graph and the document log over HTTP,
// and takes documents from agents. It describes itself in OpenAPI; one table
// (routes.go) says what is served, which parameters are allowed and what comes
// back. Errors are RFC 9457 problem details.
package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"cassini/manager/audit"
	"cassini/manager/enroll"
	"cassini/manager/graph"
	"cassini/manager/rings/keeper"
	"cassini/manager/speakers"
	"cassini/model"
	"cassini/model/delivery"
)

// Backend is the manager, as far as the API needs it. It is safe for concurrent
// use. Filters by name match everything in fields that are empty.
type Backend interface {
	model.Sink
	// Replayed says whether questions can be answered.
	Replayed() bool
	// Ready says why the process cannot do its work yet.
	Ready() error
	Graph(ctx context.Context, at time.Time) (*graph.Graph, error)
	Documents(ctx context.Context, f model.Name, at time.Time) ([]model.Document, error)
	History(ctx context.Context, f model.Name, before string, limit int) ([]LogEntry, error)
	// Log walks the log between two moments of receipt; zero ones are no bounds. With
	// newest it begins at the end.
	Log(ctx context.Context, from, to time.Time, newest bool) iter.Seq2[LogEntry, error]
	Events(ctx context.Context, since string) iter.Seq2[model.Event, error]
	Watch(ctx context.Context, since string) EventStream
	// Refresh brings counters up to date; an error says which are not.
	Refresh(ctx context.Context, host string) error
	RegisterAgent(host, url string) error
	// Name is what a machine of a host name is called, where no certificate says so: by its host
	// name, unless another machine has that. Errors wrap ErrInvalid.
	Name(ctx context.Context, name string, machine model.Machine) (string, error)
	// Speaks says whether a machine, by the mark that it sends, is the one that has a host's name.
	Speaks(ctx context.Context, host, mark string) (speakers.Answer, error)
	// Introduce says the same of a machine that says what it is, from an address.
	Introduce(ctx context.Context, host string, machine model.Machine, from netip.Addr) (speakers.Answer, error)
	// Refuse notes that a machine with a mark was refused under a host's name, and that the
	// manager cannot give it another one. What it is may not be known.
	Refuse(host, mark string, machine model.Machine, from netip.Addr)
	// Join takes an agent into the rings; errors wrap those of package rings.
	Join(ctx context.Context, j model.Join) (*model.Joined, error)
	Rings(ctx context.Context) (keeper.View, error)
	Rotate(ctx context.Context) error
	// Expel shuts a host out of the rings.
	Expel(ctx context.Context, host string) error
	// Forget forgets a host. Errors wrap ErrUnknown or ErrUp.
	Forget(ctx context.Context, host string) (model.Forgotten, error)
	// Compact gives space that the document log does not use back to the file system.
	Compact(ctx context.Context) (model.Compacted, error)
	// Acknowledge notes that somebody has taken an incident on, or with nil that nobody
	// has; Silence keeps receivers from being told for a while, EndSilence ends that.
	// Errors wrap ErrUnknown or ErrInvalid.
	Acknowledge(ctx context.Context, id string, ack *model.Ack) error
	Silence(ctx context.Context, s model.Silence) (model.Silence, error)
	EndSilence(ctx context.Context, id string) (model.Silence, error)
	AlertStats() []model.ReceiverStats
	// Tenant is the part of the estate that a tenant sees.
	Tenant(name string) Backend
	// Backup writes all that a manager cannot make anew.
	Backup(ctx context.Context, w io.Writer) error
	StoreStats() model.StoreStats
	GraphStats() model.GraphStats
}

// Errors of a Backend.
var (
	ErrUnknown = errors.New("not known here")
	ErrInvalid = errors.New("invalid")
	ErrUp      = errors.New("it is up")
	ErrBusy    = errors.New("not now")
)

// LogEntry is one document in the log.
type LogEntry struct {
	LogKey   string         `json:"log_key"`
	Document model.Document `json:"document"`
}

// EventStream is events as they happen.
type EventStream struct {
	// Backlog comes first, if it is not nil. Its last events may come again on C.
	Backlog iter.Seq2[model.Event, error]
	C       <-chan model.Event // closed when the reader is too slow
	Close   func()
	Slow    func() // counts a reader that was cut off
}

// Config is what New needs. Metrics, Capture, Outbox, Network, Reload, Debug and Served may
// be nil.
type Config struct {
	Backend       Backend
	Metrics       http.Handler
	Capture       func() *model.CaptureStats
	Outbox        func() *model.OutboxStats
	Network       func() *model.NetworkStats
	Reload        func() (model.Reloaded, error)         // reads the configuration again
	Debug         http.Handler                           // of what is below /debug/, for admins
	Served        func(route string, took time.Duration) // hears of each answer but those that take as long as the reader wants
	Host, Version string
	Start         time.Time
	Requests      *Requests      // nil counts nothing
	Deliveries    *Deliveries    // nil counts, and nobody sees it
	Protocol      delivery.Range // that is spoken with agents; zero is delivery.Ours
	BodyTimeout   time.Duration  // how long a body may take to come; 0 is 30 s
	// Enroll says who may speak; nil: whoever reaches the port may do everything.
	Enroll *enroll.Authority
	Audit  *audit.Log // nil keeps nothing
	Now    func() time.Time
	Logger *slog.Logger
}

type server struct {
	Config
	routes []route
	spec   []byte // OpenAPI
	codec  *delivery.Codec
	// refused is the second of the last warning of a refusal.
	refused atomic.Int64
	// exporting is held by whoever writes a graph for other programs: each holds the whole
	// of it several times.
	exporting chan struct{}
}

// New makes the handler of everything that the manager serves.
func New(cfg Config) http.Handler {
	cfg.Backend = bordered{cfg.Backend, cfg.Enroll != nil}
	cfg.Deliveries = cmp.Or(cfg.Deliveries, &Deliveries{})
	cfg.Protocol = cmp.Or(cfg.Protocol, delivery.Ours())
	codec, err := delivery.NewCodec(maxBody)
	if err != nil { // its settings are constants
		panic(err)
	}
	s := &server{Config: cfg, codec: codec, exporting: make(chan struct{}, 2)}
	s.routes = s.table()
	s.spec = s.openAPI()
	mux := http.NewServeMux()
	for _, r := range s.routes {
		mux.Handle(r.method+" "+r.pattern(), s.counted(r, s.audited(r, s.authorized(r, s.admitted(r, s.owned(r, s.wrap(r)))))))
	}
	if s.Debug != nil {
		r := debugRoute()
		mux.Handle(r.path, s.counted(r, s.audited(r, s.authorized(r, s.Debug))))
	}
	mux.HandleFunc("/", s.notFound)
	return s.secure(s.versioned(s.patient(mux)))
}

// wrap checks parameters and readiness before a route's handler.
func (s *server) wrap(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		p, err := r.parse(req.URL.RawQuery, s.Now())
		switch {
		case err != nil:
			problem(w, req, http.StatusBadRequest, err.Error())
		case r.data && !s.Backend.Replayed():
			w.Header().Set("Retry-After", "1")
			problem(w, req, http.StatusServiceUnavailable, "the document log is being replayed; try again in a moment")
		case s.nextDoor(req, p) != "":
			s.refuseNextDoor(w, req, s.nextDoor(req, p))
		default:
			r.handle(w, req, p)
		}
	})
}
