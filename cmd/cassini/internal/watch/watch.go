package watch

import (
	"fmt"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Names of the views, in their order.
var viewNames = []string{"dependencies", "services", "estate"}

// Views are the names that Config.View takes.
func Views() []string { return append([]string{}, viewNames...) }

// Config is what New needs.
type Config struct {
	Address  string        // of the manager, as people know it
	Interval time.Duration // between pictures
	View     string        // the first to be shown; "" is the first of Views
	Filter   string
	Color    bool
	Zone     *time.Location // of times
}

// tab is one table and how somebody looks at it.
type tab struct {
	columns []column
	sort    int // a column
	reverse bool
	all     []row
	rows    []row  // those that the filter and the wish for old ones leave, sorted
	pinned  string // the row that the cursor follows; "" while it stays at the top
	cursor  int
	top     int // the first row on the screen
}

// Model is all that is shown and how. The zero Model is not usable.
type Model struct {
	cfg           Config
	term          output.Terminal
	width, height int // 0 is no limit

	now          time.Time
	began        bool // a picture has come
	picture      Picture
	dependencies map[string]*dependency
	services     map[string]*service
	events       []string // the latest last
	why          string   // why there is no answer; "" when there is

	views   []*tab
	shown   int  // index of the view
	old     bool // show also what is long over
	paused  bool
	help    bool
	typing  bool // a filter is being typed
	filter  string
	details string // identifier of the row that is shown whole; "" for none
	scroll  int    // first line of the details
}

// maxEvents bounds the events that are kept to be shown.
const maxEvents = 8

// New makes a Model without a picture.
func New(cfg Config) *Model {
	m := &Model{
		cfg: cfg, term: output.Terminal{Color: cfg.Color}, filter: cfg.Filter,
		dependencies: map[string]*dependency{}, services: map[string]*service{},
		views: []*tab{{columns: dependencyColumns, sort: connectionsColumn}, {columns: serviceColumns, sort: connectionsColumn}, {columns: estateColumns}},
	}
	for i, name := range viewNames {
		if name == cfg.View {
			m.shown = i
		}
	}
	return m
}

// Resize tells how large the terminal is. A terminal that does not know is taken for
// one of 80 by 24.
func (m *Model) Resize(width, height int) {
	if width <= 0 || height <= 0 {
		width, height = 80, 24
	}
	m.width, m.height = width, height
}

// Limit tells how wide a terminal is that takes any number of lines.
func (m *Model) Limit(width int) { m.width, m.height = width, 0 }

// Tick tells the time.
func (m *Model) Tick(now time.Time) { m.now = now }

// Paused says that nobody wants new pictures.
func (m *Model) Paused() bool { return m.paused }

// Wants is the identifier of the node that the next picture should hold as Client; ""
// for none.
func (m *Model) Wants() string {
	if d := m.dependencies[m.details]; d != nil && strings.HasPrefix(d.Client.ID, model.KindProcess+":") {
		return d.Client.ID
	}
	return ""
}

// Take takes a picture. While the Model is paused it is dropped.
func (m *Model) Take(p Picture) {
	m.now, m.why = p.At, ""
	if m.paused {
		return
	}
	if p.Client == nil && m.picture.Client != nil && m.picture.Client.ID == m.Wants() {
		p.Client = m.picture.Client // asked for before the details were opened
	}
	m.takeDependencies(p)
	m.takeServices(p)
	m.picture, m.began = p, true
	m.fill()
}

// Fail tells that a question had no answer. What is shown stays, marked as old.
func (m *Model) Fail(now time.Time, why string) {
	m.now = now
	m.why = output.Clean(strings.ReplaceAll(why, "\n", " "))
}

// Heard tells of an event.
func (m *Model) Heard(e model.Event) {
	at := e.Time.In(m.cfg.Zone).Format(time.TimeOnly)
	m.events = append(m.events, fmt.Sprintf("%s  %s  %s", at, output.Clean(e.Kind), output.Clean(e.Summary)))
	m.events = m.events[max(0, len(m.events)-maxEvents):]
}

// fill makes the rows of all views.
func (m *Model) fill() {
	now, loads := m.picture.At, m.loads()
	deps, services := m.views[0], m.views[1]
	deps.all, services.all = deps.all[:0], services.all[:0]
	for _, d := range m.dependencies {
		deps.all = append(deps.all, d.row(now))
	}
	for _, s := range m.services {
		services.all = append(services.all, s.row(now, loads[s.ID]))
	}
	m.views[2].all = m.estateRows(now)
	m.arrange()
}

// arrange filters and sorts the rows of all views.
func (m *Model) arrange() {
	for _, v := range m.views {
		v.arrange(strings.ToLower(m.filter), m.old)
	}
}

func (v *tab) arrange(filter string, old bool) {
	v.rows = nil
	for _, r := range v.all {
		if (old || !r.old) && r.matches(filter) {
			v.rows = append(v.rows, r)
		}
	}
	sortRows(v.rows, v.sort, v.columns[v.sort].order, v.reverse)
	v.follow()
}

// follow puts the cursor on the row that it is pinned to.
func (v *tab) follow() {
	if v.pinned == "" {
		v.cursor = 0
		return
	}
	for i, r := range v.rows {
		if r.id == v.pinned {
			v.cursor = i
			return
		}
	}
	v.cursor = max(0, min(v.cursor, len(v.rows)-1))
}

// move moves the cursor by rows and pins it to where it comes.
func (v *tab) move(by int) {
	v.cursor = max(0, min(v.cursor+by, len(v.rows)-1))
	if v.cursor == 0 {
		v.pinned = "" // the top stays the top, whatever comes there
	} else {
		v.pinned = v.rows[v.cursor].id
	}
}
