package peer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite": pure Go
)

const sqliteSchema = `
CREATE TABLE nodes(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, host TEXT, attrs TEXT NOT NULL);
CREATE TABLE edges(id INTEGER PRIMARY KEY, src INTEGER NOT NULL, dst INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, connections INTEGER, attrs TEXT NOT NULL);
CREATE TABLE falls(src INTEGER NOT NULL, dst INTEGER NOT NULL, PRIMARY KEY(src, dst)) WITHOUT ROWID;
CREATE TABLE ways(src INTEGER NOT NULL, dst INTEGER NOT NULL, PRIMARY KEY(src, dst)) WITHOUT ROWID;
CREATE TABLE things_now(name TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE things_then(name TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID;
`

const sqliteIndices = `
CREATE INDEX edges_by_source ON edges(src, kind, dst);
CREATE INDEX edges_by_target ON edges(dst, kind, src);
CREATE INDEX nodes_by_kind ON nodes(kind);
INSERT OR IGNORE INTO falls
	SELECT e.src, e.dst FROM edges e JOIN nodes n ON n.id = e.src WHERE e.kind = 'has' AND n.kind IN ('switch', 'host') OR e.kind = 'runs'
	UNION SELECT dst, src FROM edges WHERE kind IN ('wired_to', 'owns', 'depends_on', 'runs_as');
DELETE FROM falls WHERE dst IN (SELECT id FROM nodes WHERE kind = 'service' AND attrs ->> 'state' = 'ended');
CREATE INDEX falls_back ON falls(dst, src);
INSERT OR IGNORE INTO ways SELECT e.src, e.dst FROM edges e JOIN nodes n ON n.id = e.src WHERE e.kind <> 'next' AND n.kind NOT IN ('subnet', 'vlan', 'ring');
INSERT OR IGNORE INTO ways SELECT e.dst, e.src FROM edges e JOIN nodes n ON n.id = e.dst WHERE e.kind <> 'next' AND n.kind NOT IN ('subnet', 'vlan', 'ring');
ANALYZE;
`

// FillSQLite makes a database of SQLite, in a file that is not there yet or, with "", in memory.
func FillSQLite(ctx context.Context, path string, d Data) (*DB, error) {
	const common = "?_pragma=synchronous(normal)&_pragma=cache_size(-2000000)&_pragma=temp_store(memory)&_pragma=busy_timeout(60000)"
	name := "file:" + path + common + "&_pragma=journal_mode(wal)&_pragma=mmap_size(8000000000)"
	if path == "" {
		name = ":memory:" + common
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("open a database: %w", err)
	}
	if path == "" {
		db.SetMaxOpenConns(1) // each connection has a memory of its own
	}
	p := &DB{db: db, stmts: make(map[string]*sql.Stmt), engine: engine{
		statements: sqliteStatements,
		size:       "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
		names:      func(list []string) (any, error) { text, err := json.Marshal(list); return string(text), err },
		update: func(ctx context.Context, tx *sql.Tx, update *sql.Stmt, edges []int64) error {
			for _, id := range edges {
				if _, err := tx.StmtContext(ctx, update).ExecContext(ctx, id); err != nil {
					return err
				}
			}
			return nil
		},
	}}
	insert := func(tx *sql.Tx, name string, columns ...string) (sink, error) {
		s, err := tx.PrepareContext(ctx, "INSERT INTO "+name+" VALUES(?"+strings.Repeat(", ?", len(columns)-1)+")")
		return inserted{s}, err
	}
	if err := p.fill(ctx, d, sqliteSchema, sqliteIndices, insert); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err := p.prepare(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// inserted is a sink by a prepared statement.
type inserted struct{ s *sql.Stmt }

func (i inserted) row(ctx context.Context, values ...any) error {
	_, err := i.s.ExecContext(ctx, values...)
	return err
}

func (i inserted) end(context.Context) error { return i.s.Close() }

// sqliteFalling is what falls with a node, itself included.
const sqliteFalling = `WITH RECURSIVE f(id) AS (SELECT id FROM nodes WHERE name = ?1 UNION SELECT falls.dst FROM f CROSS JOIN falls ON falls.src = f.id) `

// sqliteNear are a node and those beside it.
const sqliteNear = `WITH s(id) AS (SELECT id FROM nodes WHERE name = ?1),
c(id) AS (SELECT id FROM s UNION SELECT dst FROM s CROSS JOIN edges ON src = s.id UNION SELECT src FROM s CROSS JOIN edges ON dst = s.id) `

// sqliteDown are the processes of a host and those that they come to, with how many steps it takes.
const sqliteDown = `WITH RECURSIVE w(id, d) AS (
	SELECT e.dst, 1 FROM nodes n CROSS JOIN edges e ON e.src = n.id AND e.kind = 'has' WHERE n.name = ?1
	UNION SELECT r.dst, w.d + 1 FROM w CROSS JOIN edges e ON e.src = w.id AND e.kind = 'depends_on' CROSS JOIN edges r ON r.src = e.dst AND r.kind = 'runs_as' WHERE w.d < ?2)
`

// sqliteUp are a service and those that come to it, likewise.
const sqliteUp = `WITH RECURSIVE w(id, d) AS (
	SELECT id, 1 FROM nodes WHERE name = ?1
	UNION SELECT r.src, w.d + 1 FROM w CROSS JOIN edges e ON e.dst = w.id AND e.kind = 'depends_on' CROSS JOIN edges r ON r.dst = e.src AND r.kind = 'runs_as' WHERE w.d < ?2)
`

var sqliteStatements = map[string]string{
	"nodes near": sqliteNear + `SELECT n.name, n.attrs FROM c CROSS JOIN nodes n ON n.id = c.id`,
	"edges near": sqliteNear + `SELECT e.name, e.attrs FROM c CROSS JOIN edges e ON e.src = c.id WHERE e.dst IN c`,
	"down":       sqliteDown + `SELECT e.name, e.attrs FROM (SELECT DISTINCT id FROM w) x CROSS JOIN edges e ON e.src = x.id AND e.kind = 'depends_on'`,
	"reach down": sqliteDown + `SELECT e.name, x.d FROM (SELECT id, min(d) d FROM w GROUP BY id) x CROSS JOIN edges e ON e.src = x.id AND e.kind = 'depends_on'`,
	"up":         sqliteUp + `SELECT e.name, e.attrs FROM (SELECT DISTINCT id FROM w) x CROSS JOIN edges e ON e.dst = x.id AND e.kind = 'depends_on'`,
	"reach up":   sqliteUp + `SELECT e.name, x.d FROM (SELECT id, min(d) d FROM w GROUP BY id) x CROSS JOIN edges e ON e.dst = x.id AND e.kind = 'depends_on'`,
	"impact": sqliteFalling + `SELECT n.name, n.kind FROM f CROSS JOIN nodes n ON n.id = f.id WHERE n.name <> ?1 AND n.kind NOT IN ('switchport', 'interface')
	AND NOT (n.kind = 'process' AND EXISTS (SELECT 1 FROM edges e WHERE e.dst = n.id AND e.kind = 'runs_as'))`,
	"point": sqliteFalling + `SELECT coalesce(sum(n.kind = 'host'), 0), coalesce(sum(n.kind = 'service'), 0) FROM f CROSS JOIN nodes n ON n.id = f.id, (SELECT * FROM nodes WHERE name = ?1) s
	WHERE n.id <> s.id AND NOT (s.kind = 'host' AND n.host IS s.host)`,
	"path": `WITH RECURSIVE b(id, d) AS (SELECT id, 0 FROM nodes WHERE name = ?1 UNION SELECT ways.dst, b.d + 1 FROM b CROSS JOIN ways ON ways.src = b.id WHERE b.d < 16 ORDER BY 2)
SELECT d FROM b WHERE id = (SELECT id FROM nodes WHERE name = ?2) LIMIT 1`,
	"cause": `WITH RECURSIVE s(id) AS (SELECT n.id FROM json_each(?1) j JOIN nodes n ON n.name = j.value),
up(symptom, id) AS (SELECT id, id FROM s UNION SELECT up.symptom, falls.src FROM up CROSS JOIN falls ON falls.dst = up.id),
cand(id) AS (SELECT id FROM up GROUP BY id HAVING count(*) = (SELECT count(*) FROM s)),
down(cand, id) AS (SELECT c.id, c.id FROM cand c CROSS JOIN nodes n ON n.id = c.id
	WHERE NOT (n.kind = 'process' AND EXISTS (SELECT 1 FROM edges e WHERE e.dst = n.id AND e.kind = 'runs_as'))
	UNION SELECT down.cand, falls.dst FROM down CROSS JOIN falls ON falls.src = down.id)
SELECT n.name, count(*) - 1 FROM down CROSS JOIN nodes n ON n.id = down.cand GROUP BY down.cand`,
	"diff": `SELECT 'came', name FROM things_now n WHERE NOT EXISTS (SELECT 1 FROM things_then t WHERE t.name = n.name)
	UNION ALL SELECT 'went', name FROM things_then t WHERE NOT EXISTS (SELECT 1 FROM things_now n WHERE n.name = t.name)
	UNION ALL SELECT 'changed', n.name FROM things_now n JOIN things_then t ON t.name = n.name WHERE t.facts <> n.facts`,
	"update": `UPDATE edges SET connections = connections + 1 WHERE id = ?1`,
	"ids":    `SELECT id FROM edges WHERE kind = 'depends_on' ORDER BY id LIMIT ?1`,
}
