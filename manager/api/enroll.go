package api

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cassini/manager/enroll"
	"cassini/manager/guests"
	"cassini/model"
)

// keepsHeader says that an agent keeps the authorities that an answer has.
const keepsHeader = "Cassini-Keeps-Authorities"

// maxEnroll is the size of a request about enrolment in bytes.
const maxEnroll = 16 << 10

type tokenName struct {
	ID string `json:"id"`
}

type hostName struct {
	Host   string `json:"host"`
	Serial string `json:"serial,omitempty"`
	// Copies, in an answer, are hosts that came of copies of this one, and are revoked as well,
	// with spaces between: commands of before take an answer of texts alone.
	Copies string `json:"copies,omitempty"`
}

// enrollRoutes are who may speak.
func (s *server) enrollRoutes() []route {
	refusals := []int{http.StatusBadRequest, 401, 403, 409, 413, 415, 503}
	return []route{
		{method: "POST", path: "/api/v1/enroll", summary: "Join by a token of role agent: a certificate for a request", body: enroll.JoinRequest{}, answer: enroll.Joined{}, statuses: refusals, handle: s.postEnroll},
		{method: "POST", path: "/api/v1/enroll/renew", summary: "The next certificate of the agent that shows one", body: enroll.JoinRequest{}, answer: enroll.Joined{}, statuses: refusals, handle: s.postRenew},
		{method: "POST", path: "/api/v1/enroll/name", summary: "What a machine is called, for the agents of a manager without TLS: as it names itself, unless another machine has that name", body: nameBody{}, answer: named{}, statuses: []int{http.StatusBadRequest, 401, 403, 409, 413, 415, 503}, handle: s.postName},
		{method: "POST", path: pathMachine, summary: "Whether a machine is the one that has a host's name, for its agent; with a certificate request, a name and a certificate of its own if it is another one, that came with a copy of that one's", body: machineBody{}, answer: enroll.Joined{}, statuses: refusals, handle: s.postMachine},
		{method: "GET", path: "/api/v1/enroll/hosts", summary: "Hosts that joined, and what counts of their certificates", answer: []enroll.Record{}, statuses: []int{401, 409}, handle: s.getEnrolled},
		{method: "POST", path: "/api/v1/enroll/revoke", summary: "Shut a host out, or one certificate of it", body: hostName{}, answer: hostName{}, statuses: append(refusals, 404), handle: s.postRevoke},
		{method: "GET", path: "/api/v1/tokens", summary: "Tokens, without their secrets, and certificates of people and programs", answer: []enroll.Token{}, statuses: []int{401, 403, 409}, handle: s.getTokens},
		{method: "POST", path: "/api/v1/tokens", summary: "Make a token, or a certificate for a request; its text is in this answer alone", body: enroll.TokenOrder{}, answer: enroll.TokenMade{}, statuses: refusals, handle: s.postToken},
		{method: "POST", path: "/api/v1/tokens/revoke", summary: "End a token, or a certificate of a person or program", body: tokenName{}, answer: tokenName{}, statuses: append(refusals, 404), handle: s.postRevokeToken},
	}
}

// nameBody asks what a host is called; named is the answer.
type nameBody struct {
	Host    string        `json:"host"` // its host name
	Machine model.Machine `json:"machine"`
}

type named struct {
	Host string `json:"host"`
}

// postName is for agents that have no certificate, which says it else.
func (s *server) postName(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := jsonBody[nameBody](w, r, maxEnroll)
	if !ok {
		return
	}
	if s.Enroll != nil {
		problem(w, r, http.StatusConflict, "what a host is called is in its certificate: let it join ('cassini join')")
		return
	}
	if err := errors.Join(enroll.CheckHost(body.Host), enroll.CheckMachine(&body.Machine)); err != nil {
		problem(w, r, http.StatusBadRequest, err.Error())
		return
	}
	host, err := s.Backend.Name(r.Context(), body.Host, body.Machine)
	noted(r).target = host
	switch {
	case err == nil:
		s.answer(w, r, named{host})
	case errors.Is(err, ErrInvalid):
		problem(w, r, http.StatusBadRequest, err.Error())
	default:
		w.Header().Set("Retry-After", retryAfter)
		problem(w, r, http.StatusServiceUnavailable, err.Error())
	}
}

// enrolls says whether there is an authority, and answers where there is none.
func (s *server) enrolls(w http.ResponseWriter, r *http.Request) bool {
	if s.Enroll == nil {
		problem(w, r, http.StatusConflict, "this manager serves without TLS: nobody joins, and there are no tokens; start it with --listen beyond loopback and without --insecure")
	}
	return s.Enroll != nil
}

// enrollBody decodes a body, where there is an authority.
func enrollBody[T any](s *server, w http.ResponseWriter, r *http.Request) (body T, ok bool) {
	if !s.enrolls(w, r) {
		return body, false
	}
	return jsonBody[T](w, r, maxEnroll)
}

// enrolled answers, or says why not.
func (s *server) enrolled(w http.ResponseWriter, r *http.Request, v any, err error) {
	var status int
	switch {
	case err == nil:
		s.answer(w, r, v)
		return
	case errors.Is(err, enroll.ErrInvalid):
		status = http.StatusBadRequest
	case errors.Is(err, enroll.ErrTaken):
		status = http.StatusConflict
	case errors.Is(err, enroll.ErrFull):
		status = http.StatusServiceUnavailable
	case errors.Is(err, enroll.ErrForbidden), errors.Is(err, enroll.ErrUsedUp):
		status = http.StatusForbidden
	case errors.Is(err, enroll.ErrUnknown), errors.Is(err, enroll.ErrExpired), errors.Is(err, enroll.ErrRevoked):
		status = http.StatusUnauthorized
	default:
		s.fail(w, r, err)
		return
	}
	s.refuse(w, r, status, "", err.Error())
}

func (s *server) postEnroll(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := enrollBody[enroll.JoinRequest](s, w, r)
	if !ok {
		return
	}
	noted(r).target = body.Host
	text, ok := bearer(r)
	if !ok {
		s.refuse(w, r, http.StatusUnauthorized, "", "join by a token of role agent (Authorization: Bearer)")
		return
	}
	if id := enroll.TokenID(text); id != "" {
		noted(r).who = "token " + id
	}
	body.Keeps = r.Header.Get(keepsHeader) != ""
	joined, err := s.Enroll.Join(text, body, s.Now())
	if err == nil {
		guests.Known(r.Context())
	}
	if err == nil && joined.Host != body.Host {
		noted(r).target, noted(r).detail = joined.Host, "another machine has the name "+body.Host
	}
	s.enrolled(w, r, joined, err)
}

func (s *server) postRenew(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := enrollBody[enroll.JoinRequest](s, w, r)
	if !ok {
		return
	}
	body.Keeps = r.Header.Get(keepsHeader) != ""
	if m := body.Machine; m != nil && r.Header.Get(model.MarkHeader) != "" && enroll.CheckMachine(m) == nil && !s.introduced(w, r, whoAsks(r).Host, *m) {
		return
	}
	joined, err := s.Enroll.Renew(r.TLS.PeerCertificates[0], body, s.Now())
	s.enrolled(w, r, joined, err)
}

func (s *server) getEnrolled(w http.ResponseWriter, r *http.Request, _ params) {
	if s.enrolls(w, r) {
		s.answer(w, r, s.hostRecords(r))
	}
}

// hostRecords are the records of the hosts that the asker sees.
func (s *server) hostRecords(r *http.Request) []enroll.Record {
	list := s.Enroll.Hosts()
	if of := tenant(r); of != "" {
		list = slices.DeleteFunc(list, func(h enroll.Record) bool { return h.Tenant != of })
	}
	return list
}

func (s *server) postRevoke(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := enrollBody[hostName](s, w, r)
	if ok {
		noted(r).target = body.Host
		if body.Serial != "" {
			noted(r).detail = "certificate " + body.Serial
		}
		gone, err := s.Enroll.Revoke(body.Host, body.Serial, s.Now())
		if body.Copies = strings.Join(gone, " "); body.Copies != "" {
			noted(r).detail = strings.TrimPrefix(noted(r).detail+", and machines that came of copies of it: "+body.Copies, ", ")
		}
		if err == nil && body.Serial == "" {
			gone = append(gone, body.Host)
		}
		for _, host := range gone {
			err = errors.Join(err, s.Backend.Expel(r.Context(), host))
		}
		s.unknownIs404(w, r, body, err)
	}
}

func (s *server) getTokens(w http.ResponseWriter, r *http.Request, _ params) {
	if s.enrolls(w, r) {
		s.answer(w, r, s.Enroll.Tokens())
	}
}

func (s *server) postToken(w http.ResponseWriter, r *http.Request, _ params) {
	order, ok := enrollBody[enroll.TokenOrder](s, w, r)
	if !ok {
		return
	}
	made, err := s.Enroll.Make(order, s.Now())
	noted(r).target, noted(r).detail = made.ID, tokenDetail(made.Token)
	s.enrolled(w, r, made, err)
}

// tokenDetail says what a token is for.
func tokenDetail(t enroll.Token) string {
	detail := "role " + string(t.Role)
	if t.Key != "" {
		detail = "certificate " + t.Serial + ", " + detail
	}
	if t.Host != "" {
		detail += ", host " + t.Host
	}
	if t.Tenant != "" {
		detail += ", tenant " + t.Tenant
	}
	if t.Label != "" {
		detail += ", label " + t.Label
	}
	if len(t.Labels) > 0 {
		detail += ", labels " + strings.Join(model.HostLabels{Labels: t.Labels}.Groups(""), " ")
	}
	if t.Limit > 1 {
		detail += ", for " + strconv.Itoa(t.Limit) + " hosts"
	}
	if !t.Expires.IsZero() {
		detail += ", until " + t.Expires.UTC().Format(time.RFC3339)
	}
	return detail
}

func (s *server) postRevokeToken(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := enrollBody[tokenName](s, w, r)
	if ok {
		noted(r).target = body.ID
		s.unknownIs404(w, r, body, s.Enroll.RevokeToken(body.ID, s.Now()))
	}
}

func (s *server) unknownIs404(w http.ResponseWriter, r *http.Request, v any, err error) {
	if errors.Is(err, enroll.ErrUnknown) {
		problem(w, r, http.StatusNotFound, err.Error())
		return
	}
	s.enrolled(w, r, v, err)
}
