package lytics_test

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
)

// The objects of the account that lyticsAnswers describe.
const (
	accountID  = "4f7b525bdba058fc096757a64f7b525b"
	segmentID  = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	mappingID  = "5d41402abc4b2a76b9719d911017c592"
	authID     = "7f3b8c1d2e4f5a6b"
	jobID      = "9e107d9d372bb6826bd81d3542a419d6"
	erasureID  = "e4d909c290d0fb1c"
	segmentOne = `{"id":"` + segmentID + `","name":"All","slug_name":"all","description":"",` +
		`"segment_ql":"FILTER * FROM user ALIAS all",` +
		`"kind":"segment","table":"user","is_public":false,"invalid":false,"size":2,"created":"2026-10-01T08:00:00Z"}`
	fieldList = `[{"id":"email","type":"string","shortdesc":"","is_identifier":true,"is_pii":true,"mergeop":"latest","capacity":0},` +
		`{"id":"n","type":"int","shortdesc":"Visits","is_identifier":false,"mergeop":"sum","keep_days":0,"edit_status":"unmodified"}]`
	mappingOne = `{"id":"` + mappingID + `","field":"n","stream":"s","expr":"n","guard_expr":"","edit_status":"unmodified"}`
	authOne    = `{"id":"` + authID + `","label":"Warehouse","description":"","type":"databricks_db","provider_slug":"databricks",` +
		`"status":"healthy","unhealthy":false,"created":"2026-10-01T08:00:00Z","account_id":"` + accountID + `"}`
	jobOne = `{"id":"` + jobID + `","name":"Orders","description":"","workflow":"databricks_import","status":"sleeping",` +
		`"deleted":false,` +
		`"sleep_until":"2026-12-01T08:00:00Z","auth_ids":["` + authID + `"],"created":"2026-10-01T08:00:00Z",` +
		`"config":{"database":"sales","source":"orders","continuous_update":true,"query_timeout":60}}`
)

// v2 is an answer of the second version of the API.
func v2(status int, data string) hostiletest.Recording {
	a := hostiletest.OK(fmt.Sprintf(`{"data":%s,"status":%d,"request_id":"r-1"}`, data, status))
	a.Status = status
	return a
}

// lyticsAnswers are valid answers of Lytics, by method and path, as its published descriptions have them.
var lyticsAnswers = map[string]hostiletest.Recording{
	"GET /v2/account":           v2(200, `[{"id":"`+accountID+`","aid":12,"parentaid":12,"name":"Shop"}]`),
	"GET /v2/schema/user/field": v2(200, fieldList),
	"GET /v2/schema/user/field/n": v2(200, `{"id":"n","type":"int","shortdesc":"Visits",`+
		`"is_identifier":false,"mergeop":"sum"}`),
	"POST /v2/schema/user/field": v2(201, `{"id":"m","type":"int","shortdesc":"","mergeop":"sum",`+
		`"edit_status":"new"}`),
	"GET /v2/schema/user/mapping":              v2(200, `[`+mappingOne+`]`),
	"GET /v2/schema/user/mapping/" + mappingID: v2(200, mappingOne),
	"POST /v2/schema/user/mapping": v2(201, `{"id":"`+mappingID+`","field":"n","stream":"t","expr":"n",`+
		`"edit_status":"new"}`),
	"GET /v2/schema/user/compare":                 v2(200, `{"fields":[],"mappings":[]}`),
	"POST /v2/schema/user/publish":                v2(200, `{"tag":"terraform-set-field-m"}`),
	"DELETE /v2/schema/user/field/m":              {Status: 204},
	"DELETE /v2/schema/user/mapping/" + mappingID: {Status: 204},
	"GET /api/account/setting/enable_schema_patches": hostiletest.OK(`{"data":{"slug":"enable_schema_patches","value":false},` +
		`"message":"success","status":200}`),
	"GET /v2/segment":              v2(200, `[`+segmentOne+`]`),
	"GET /v2/segment/all":          v2(200, segmentOne),
	"GET /v2/segment/" + segmentID: v2(200, segmentOne),
	"GET /v2/segment/some": {Status: 404, Body: `{"errors":[{"code":"NOTFOUND-003",` +
		`"message":"not found"}],"status":404,"request_id":"r-1"}`},
	"POST /v2/segment":                v2(201, strings.ReplaceAll(segmentOne, `"all"`, `"some"`)),
	"DELETE /v2/segment/" + segmentID: {Status: 204},
	"POST /api/segment/validate":      hostiletest.OK(`{"data":null,"message":"success","status":200}`),
	"GET /api/segment/" + segmentID + "/scan": hostiletest.OK(`{"data":[{"_id":"u1","email":"a@x.com",` +
		`"n":3},{"_id":"u2","email":"b@x.com"}],"_next":"","total":2,"status":200,"message":"success"}`),
	"GET /v2/stream": v2(200, `[{"name":"s","count":12,"avg_event_size":100,`+
		`"last_msg_ts":"2026-10-01T08:00:00Z"},{"name":"t","count":0}]`),
	"GET /v2/stream/s": v2(200, `{"name":"s","count":12,"avg_event_size":100,`+
		`"last_msg_ts":"2026-10-01T08:00:00Z"}`),
	"GET /api/entity/user/email/a@x.com": hostiletest.OK(`{"data":{"_id":"u1","email":"a@x.com","n":3,` +
		`"segments":["all"]},"message":"success","status":200}`),
	"DELETE /api/entity/user/email/a@x.com": hostiletest.OK(`{"data":{"request_id":"` + erasureID + `",` +
		`"complete":false},"message":"success","status":200}`),
	"GET /api/entity/deletestatus/" + erasureID: hostiletest.OK(`{"data":{"request_id":"` + erasureID + `",` +
		`"complete":true},"message":"success","status":200}`),
	"GET /v2/auth":                         v2(200, `[`+authOne+`,{"id":"t1","label":"ci","type":"lytics-auth-token"}]`),
	"GET /v2/auth/" + authID:               v2(200, authOne),
	"POST /v2/auth/databricks-db":          v2(201, authOne),
	"PUT /v2/auth/databricks-db/" + authID: v2(200, authOne),
	"DELETE /v2/auth/" + authID:            {Status: 204},
	"GET /v2/job": v2(200, `[`+jobOne+`,{"id":"x","name":"Mails",`+
		`"workflow":"webhook_triggers","status":"running","config":{}}]`),
	"GET /v2/job/" + jobID:                   v2(200, jobOne),
	"POST /v2/job/databricks-import":         v2(201, jobOne),
	"PUT /v2/job/databricks-import/" + jobID: v2(200, jobOne),
	"POST /v2/job/" + jobID + "/pause":       v2(200, jobOne),
	"GET /v2/job/" + jobID + "/logs": v2(200, `[{"job_id":"`+jobID+`","message":"Read 10 rows","level":"info",`+
		`"timestamp":"2026-10-01T08:00:00Z","context":{"added":10}}]`),
	"POST /collect/bulk/s": hostiletest.OK(`{"status":200,"message":"success",` +
		`"data":{"message_count":3,"rejected_count":0,"content-type":"application/json","droperrors":true,"dryrun":false}}`),
	"POST /v2/schema/expression/evaluate": v2(200, `"1"`),
}
