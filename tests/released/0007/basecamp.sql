BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO "alembic_version" VALUES('0007');
CREATE TABLE attempt (
	run_id TEXT NOT NULL, 
	claim INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	started_at TEXT NOT NULL, 
	finished_at TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	error_message TEXT, 
	PRIMARY KEY (run_id, claim)
);
INSERT INTO "attempt" VALUES('run-20261123T183600-9eeb0f0bd3e1',1,1,'2026-11-23T18:36:00.120200+00:00','2026-11-23T18:36:00.325370+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183600-8a0d96d8009a',1,1,'2026-11-23T18:36:00.404563+00:00','2026-11-23T18:36:00.500426+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183600-1047bd79275a',1,1,'2026-11-23T18:36:00.500426+00:00','2026-11-23T18:36:00.577998+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183604-0bc1d3061c31',1,1,'2026-11-23T18:36:04.621448+00:00','2026-11-23T18:36:07.497077+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183604-dd68f6c0236c',1,1,'2026-11-23T18:36:07.497077+00:00','2026-11-23T18:36:07.568930+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183604-f568e5839f40',1,1,'2026-11-23T18:36:07.568930+00:00','2026-11-23T18:36:07.630846+00:00','COMPLETED',NULL);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	action TEXT NOT NULL, 
	resource TEXT NOT NULL, 
	request_id TEXT, 
	reason TEXT, 
	detail TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "audit" VALUES(1,'2026-11-23T18:35:59.450269+00:00','local','workflow.register','local.old.both','cb9711e672da5ff33f34eb70',NULL,'{"outcome": "added"}','a4bc4d4ba2f021e70b50b516739743b77bedd2834d54083bedc3774251a8bb51');
INSERT INTO "audit" VALUES(2,'2026-11-23T18:35:59.537321+00:00','local','workflow.register','local.old.manual','783cfa21dafb674e30c63290',NULL,'{"outcome": "added"}','9674357b113feeb42794e2c222e31fa349c4029182f26aa708f9a43598eb349d');
INSERT INTO "audit" VALUES(3,'2026-11-23T18:35:59.615947+00:00','local','workflow.register','local.old.paused','14cad822e2cd9f19a5de60ec',NULL,'{"outcome": "added"}','2674d33ca2b6ada274c9e5b4f0370132aa00a6459ab8bd51184e1d7d8205dfa8');
INSERT INTO "audit" VALUES(4,'2026-11-23T18:35:59.717380+00:00','local','workflow.register','local.old.late','f33c4e384e6b180b6435d243',NULL,'{"outcome": "added"}','6bfd427a84c03c2684bc5fe4dce0d2a19d3d124b86525a373e0214fde43efffd');
INSERT INTO "audit" VALUES(5,'2026-11-23T18:35:59.869233+00:00','local','code.put','local.old.both','c06fb75c3d5a43706bc48fdb',NULL,'{}','bf364eac1fea2b14deda36557916ab84eb43b33a6f964ef9b075e238793ed57d');
INSERT INTO "audit" VALUES(6,'2026-11-23T18:35:59.869233+00:00','local','code.put','local.old.busy','c06fb75c3d5a43706bc48fdb',NULL,'{}','faddd897aa71b316b2fc7638eda2d267c097859137b5c1821ec6c4330ee1ee2d');
INSERT INTO "audit" VALUES(7,'2026-11-23T18:35:59.869233+00:00','local','code.put','local.old.code','c06fb75c3d5a43706bc48fdb',NULL,'{}','b71d1b551e14f8ec3af6d7bc534ad165429123e54c175ecc1b60a2e1758f123e');
INSERT INTO "audit" VALUES(8,'2026-11-23T18:35:59.869233+00:00','local','code.put','local.old.weekly','c06fb75c3d5a43706bc48fdb',NULL,'{}','5e1b3b14e9feee00d8843f074d6a33f4a077c06ae093570f56bb9236273324eb');
INSERT INTO "audit" VALUES(9,'2026-11-23T18:35:59.869233+00:00','local','code.publish','first','c06fb75c3d5a43706bc48fdb',NULL,'{"added": 4, "changed": 0, "removed": 0, "unchanged": 0}','7a8ff81c2d7dda5f5f1c8743e1bb6e602ed268d8d25dccceaf18ab05ceddd3d2');
INSERT INTO "audit" VALUES(10,'2026-11-23T18:35:59.941155+00:00','local','dataset.register','local.old.registered','9176939de873be084e71df0a',NULL,'{"version": 1}','283f38d7fa9a3a630ac05152da5052d035c7347befc79c7901eec54df1b205a1');
INSERT INTO "audit" VALUES(11,'2026-11-23T18:35:59.997121+00:00','local','token.create','tok_d11b1b631f70230f','7a0f1602007edd03ef841f57',NULL,'{"name": "ben", "role": "viewer", "scopes": ["data:read", "dataset:read", "run:read"], "teams": ["reliability"]}','da9f68c7199f2417ccfa309491b62aad83014ed084a2dcb0ee3c0e2b71b9a110');
INSERT INTO "audit" VALUES(12,'2026-11-23T18:36:00.039122+00:00','local','workflow.pause','local.old.paused','894bc279049ec6f21d884a09','waits for the bank','{"until": null}','85b6282a61709b28c689ee56a0607a6a3ded7faa326212505cdb6f47d5f04cf5');
INSERT INTO "audit" VALUES(13,'2026-11-23T18:36:00.084140+00:00','local','workflow.pause','local.old.weekly','dd97819e2216a3200fcf3675','too early','{"until": null}','0032f134269a9bbd8ec8efdeb4dc502206bdcb9cdeab9ef8123a081cf4b549c6');
INSERT INTO "audit" VALUES(14,'2026-11-23T18:36:00.100143+00:00','local','run.start','local.old.manual','112a326423a1e883c3484da9',NULL,'{"run_id": "run-20261123T183600-9eeb0f0bd3e1"}','fb38a5d188b927eb3463ef2b7203e7db5c98d9b23684ca92e82dc4c0ae8042bd');
INSERT INTO "audit" VALUES(15,'2026-11-23T18:36:00.374233+00:00','local','backfill.start','local.old.code','2fba048fdcff8e0b876de4ce',NULL,'{"run_id": "backfill-20261123T183600-496d77be6396", "runs": 2}','3742fe05828243d2827c4f09c3c2ddff143c3afb7513459ea09bef2c1e008aae');
INSERT INTO "audit" VALUES(16,'2026-11-23T18:36:00.685335+00:00','local','workflow.unpause','local.old.weekly','23708f531ae65136e9d40c0a',NULL,'{}','782c71ccedb532a48d98b8fe6bbcff18804d0acf7018cbd3c63ae07f45b03a41');
INSERT INTO "audit" VALUES(17,'2026-11-23T18:36:07.682534+00:00','local','run.start','local.old.manual','387070d5a720a2134dc217b1',NULL,'{"run_id": "run-20261123T183607-4d4c624c336e"}','92f19a42278f6eb15c3817c224f0f81ee0df88dd6fe08765c79aa3351a185eb4');
INSERT INTO "audit" VALUES(18,'2026-11-23T18:36:07.830223+00:00','local','run.start','local.old.manual','e8b037d5d2adb502dd80e3a2',NULL,'{"run_id": "run-20261123T183607-d12b6feb63c1"}','8f5e191e2fce3d463d789856b3b27cbec95e4b9996c992598b558a0174204c62');
INSERT INTO "audit" VALUES(19,'2026-11-23T18:36:37.928123+00:00','local','backfill.start','local.old.busy','db0d4bf2a9d49f6da94e11ac',NULL,'{"run_id": "backfill-20261123T183637-2d8db79f1bcf", "runs": 4}','8b438ada2543ef31c833c8489ed2096b8d0ce96a1fb4d2d4a501413bbbd8bdbf');
INSERT INTO "audit" VALUES(20,'2026-11-23T18:36:38.001549+00:00','local','run.start','local.old.late','bd4bff80a7c1dc051434c24c',NULL,'{"run_id": "run-20261123T183638-8cc42702a48f"}','5d0b32de0fadfe414f9e8a770c03a68ab76cb83b63dbba94b2ef517c89a98437');
INSERT INTO "audit" VALUES(21,'2026-11-23T18:36:38.025767+00:00','local','run.stop','run-20261123T183638-8cc42702a48f','eb9de7be5dddb6cb24a51bcc','wrong day','{}','16eb1f006c13166fbd4c1e0bafe15b3bc7ca6246082df5ec8946643b41cac7e2');
CREATE TABLE backfill (
	backfill_id TEXT NOT NULL, 
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	status TEXT NOT NULL, 
	parameters TEXT NOT NULL, 
	start_date DATE NOT NULL, 
	end_date DATE NOT NULL, 
	total_runs INTEGER NOT NULL, 
	completed_runs INTEGER NOT NULL, 
	triggered_by TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	started_at TEXT, 
	finished_at TEXT, 
	error_message TEXT, 
	stop_reason TEXT, 
	PRIMARY KEY (backfill_id)
);
INSERT INTO "backfill" VALUES('backfill-20261123T183600-496d77be6396','local.old.code','code','COMPLETED','{}','2026-01-01','2026-01-02',2,2,'local','2026-11-23T18:36:00.374233+00:00','2026-11-23T18:36:00.404563+00:00','2026-11-23T18:36:00.577998+00:00',NULL,NULL);
INSERT INTO "backfill" VALUES('backfill-20261123T183637-2d8db79f1bcf','local.old.busy','code','RUNNING','{}','2026-02-01','2026-02-04',4,0,'local','2026-11-23T18:36:37.928123+00:00','2026-11-23T18:36:37.968931+00:00',NULL,NULL,NULL);
CREATE TABLE code_version (
	version TEXT NOT NULL, 
	published_by TEXT NOT NULL, 
	published_at TEXT NOT NULL, 
	spec_count INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "code_version" VALUES('first','local','2026-11-23T18:35:59.869233+00:00',4);
CREATE TABLE holding (
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	team TEXT NOT NULL, 
	PRIMARY KEY (kind, name)
);
INSERT INTO "holding" VALUES('dataset','local.old.both','reliability');
INSERT INTO "holding" VALUES('dataset','local.old.manual','reliability');
INSERT INTO "holding" VALUES('dataset','local.old.paused','reliability');
INSERT INTO "holding" VALUES('dataset','local.old.late','reliability');
INSERT INTO "holding" VALUES('dataset','local.old.busy','reliability');
INSERT INTO "holding" VALUES('dataset','local.old.code','reliability');
INSERT INTO "holding" VALUES('dataset','local.old.weekly','reliability');
INSERT INTO "holding" VALUES('dataset','local.old.registered','reliability');
CREATE TABLE idempotency (
	scope_hash TEXT NOT NULL, 
	body_hash TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	answer TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (scope_hash)
);
INSERT INTO "idempotency" VALUES('e9c3906294ae24ae0c2b36109b54fe6fcd5a9e41af809a1583e635b48150300b','a59c4e89dc4d3d9e40126ce4ba41bbdf523052340cd14a5c61ffe0f295bb16ca',202,'{"attempt": 0, "backfill_id": null, "created_at": "2026-11-23T18:36:00.100143Z", "data_interval_end": "2026-11-23T01:30:00Z", "data_interval_start": "2026-11-22T01:30:00Z", "dataset_name": "local.old.manual", "duration_seconds": null, "error_message": null, "finished_at": null, "logical_date": "2026-11-22T01:30:00Z", "max_attempts": 2, "message": "The run is queued.", "parameters": {}, "rows_affected": null, "run_id": "run-20261123T183600-9eeb0f0bd3e1", "run_type": "adhoc", "source_type": "manual", "started_at": null, "status": "PENDING", "stop_reason": null, "stopped_by": null, "triggered_by": "local"}','2026-11-23T18:36:00.100143+00:00');
INSERT INTO "idempotency" VALUES('5d4fdeb8a5e5c6bc82d9201b74b93493b48a4c230edf75c3b2daaf7f97567b45','c5de6ab47a634593954be90828140c14df00a4020ae255b2f43997cd0fee43bf',202,'{"attempt": 0, "backfill_id": null, "created_at": "2026-11-23T18:36:07.682534Z", "data_interval_end": "2026-03-02T01:30:00Z", "data_interval_start": "2026-03-01T01:30:00Z", "dataset_name": "local.old.manual", "duration_seconds": null, "error_message": null, "finished_at": null, "logical_date": "2026-03-01T01:30:00Z", "max_attempts": 2, "message": "The run is queued.", "parameters": {"execution_date": "2026-03-01"}, "rows_affected": null, "run_id": "run-20261123T183607-4d4c624c336e", "run_type": "adhoc", "source_type": "manual", "started_at": null, "status": "PENDING", "stop_reason": null, "stopped_by": null, "triggered_by": "local"}','2026-11-23T18:36:07.682534+00:00');
INSERT INTO "idempotency" VALUES('93ed5e968a040dfd99ad43eca9800f9d33c3260fe5308067694e451f0a024fbd','d8d861ab58bcaca52e0af3ba07938b52df5973edb8aee1703886d319dc0bc833',202,'{"attempt": 0, "backfill_id": null, "created_at": "2026-11-23T18:36:07.830223Z", "data_interval_end": "2026-03-03T01:30:00Z", "data_interval_start": "2026-03-02T01:30:00Z", "dataset_name": "local.old.manual", "duration_seconds": null, "error_message": null, "finished_at": null, "logical_date": "2026-03-02T01:30:00Z", "max_attempts": 2, "message": "The run is queued.", "parameters": {"execution_date": "2026-03-02"}, "rows_affected": null, "run_id": "run-20261123T183607-d12b6feb63c1", "run_type": "adhoc", "source_type": "manual", "started_at": null, "status": "PENDING", "stop_reason": null, "stopped_by": null, "triggered_by": "local"}','2026-11-23T18:36:07.830223+00:00');
INSERT INTO "idempotency" VALUES('ad9d57c5bc969eb42fe927e5f87c5dd588acecef618bbfc353254e0d69f09891','a01cafe1e61f0d4e212b241899160e0909ee20eb04035a670191934d51f826de',202,'{"completed_runs": 0, "created_at": "2026-11-23T18:36:37.928123Z", "dataset_name": "local.old.busy", "duration_seconds": null, "end_date": "2026-02-04", "error_message": null, "finished_at": null, "message": "4 runs are planned, one after the other.", "parameters": {}, "run_id": "backfill-20261123T183637-2d8db79f1bcf", "run_type": "backfill", "runs": [{"date": "2026-02-01", "run_id": "run-20261123T183637-c36318534ead", "status": "PENDING"}, {"date": "2026-02-02", "run_id": "run-20261123T183637-2e24c49d8aab", "status": "PENDING"}, {"date": "2026-02-03", "run_id": "run-20261123T183637-abe96cc6e5cd", "status": "PENDING"}, {"date": "2026-02-04", "run_id": "run-20261123T183637-98e54b23c5d1", "status": "PENDING"}], "source_type": "code", "start_date": "2026-02-01", "started_at": null, "status": "PENDING", "stop_reason": null, "total_runs": 4, "triggered_by": "local"}','2026-11-23T18:36:37.928123+00:00');
CREATE TABLE leader (
	id INTEGER NOT NULL, 
	holder TEXT NOT NULL, 
	term INTEGER NOT NULL, 
	until TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE message (
	id INTEGER NOT NULL, 
	target TEXT NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	next_try_at TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE quality_schedule (
	name TEXT NOT NULL, 
	spec_hash TEXT NOT NULL, 
	cron TEXT NOT NULL, 
	timezone TEXT NOT NULL, 
	next_fire_at TEXT, 
	pending_at TEXT, 
	attempt INTEGER NOT NULL, 
	try_at TEXT, 
	PRIMARY KEY (name)
);
CREATE TABLE registration (
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	spec_hash TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	team TEXT NOT NULL, 
	description TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	author TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (kind, name, version)
);
INSERT INTO "registration" VALUES('dataset','local.old.registered',1,'11332a0d24f4b4e0d650f8164c75952ca0286f7ba4d0ab9c744775b8b87ed020','ana@example.com','reliability','','[]','local','2026-11-23T18:35:59.941155+00:00');
CREATE TABLE run (
	seq INTEGER NOT NULL, 
	run_id TEXT NOT NULL, 
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	status TEXT NOT NULL, 
	run_type TEXT NOT NULL, 
	parameters TEXT NOT NULL, 
	interval_start TEXT NOT NULL, 
	interval_end TEXT NOT NULL, 
	scheduled_for TEXT, 
	timezone TEXT NOT NULL, 
	spec_hash TEXT NOT NULL, 
	backfill_id TEXT, 
	triggered_by TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	started_at TEXT, 
	finished_at TEXT, 
	attempt INTEGER NOT NULL, 
	max_attempts INTEGER NOT NULL, 
	retry_delay_seconds INTEGER NOT NULL, 
	retry_at TEXT, 
	timeout_seconds INTEGER NOT NULL, 
	claim INTEGER NOT NULL, 
	crashes INTEGER NOT NULL, 
	rows_affected BIGINT, 
	error_code TEXT, 
	error_message TEXT, 
	stop_reason TEXT, 
	stopped_by TEXT, 
	PRIMARY KEY (seq), 
	CONSTRAINT run_scheduled_once UNIQUE (dataset_name, scheduled_for), 
	UNIQUE (run_id)
);
INSERT INTO "run" VALUES(1,'run-20261123T183600-9eeb0f0bd3e1','local.old.manual','manual','COMPLETED','adhoc','{}','2026-11-22T01:30:00.000000+00:00','2026-11-23T01:30:00.000000+00:00',NULL,'UTC','0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e',NULL,'local','2026-11-23T18:36:00.100143+00:00','2026-11-23T18:36:00.120200+00:00','2026-11-23T18:36:00.325370+00:00',1,2,1,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(2,'run-20261123T183600-8a0d96d8009a','local.old.code','code','COMPLETED','backfill','{}','2026-01-01T03:00:00.000000+00:00','2026-01-02T03:00:00.000000+00:00',NULL,'UTC','a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18','backfill-20261123T183600-496d77be6396','backfill','2026-11-23T18:36:00.374233+00:00','2026-11-23T18:36:00.404563+00:00','2026-11-23T18:36:00.500426+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(3,'run-20261123T183600-1047bd79275a','local.old.code','code','COMPLETED','backfill','{}','2026-01-02T03:00:00.000000+00:00','2026-01-03T03:00:00.000000+00:00',NULL,'UTC','a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18','backfill-20261123T183600-496d77be6396','backfill','2026-11-23T18:36:00.374233+00:00','2026-11-23T18:36:00.500426+00:00','2026-11-23T18:36:00.577998+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(4,'run-20261123T183604-0bc1d3061c31','local.old.weekly','code','COMPLETED','scheduled','{}','2026-11-01T15:00:00.000000+00:00','2026-11-08T15:00:00.000000+00:00','2026-11-01T15:00:00.000000+00:00','Asia/Seoul','73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f',NULL,'scheduler','2026-11-23T18:36:04.621448+00:00','2026-11-23T18:36:04.621448+00:00','2026-11-23T18:36:07.497077+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(5,'run-20261123T183604-dd68f6c0236c','local.old.weekly','code','COMPLETED','scheduled','{}','2026-11-08T15:00:00.000000+00:00','2026-11-15T15:00:00.000000+00:00','2026-11-08T15:00:00.000000+00:00','Asia/Seoul','73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f',NULL,'scheduler','2026-11-23T18:36:04.621448+00:00','2026-11-23T18:36:07.497077+00:00','2026-11-23T18:36:07.568930+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(6,'run-20261123T183604-f568e5839f40','local.old.weekly','code','COMPLETED','scheduled','{}','2026-11-15T15:00:00.000000+00:00','2026-11-22T15:00:00.000000+00:00','2026-11-15T15:00:00.000000+00:00','Asia/Seoul','73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f',NULL,'scheduler','2026-11-23T18:36:04.621448+00:00','2026-11-23T18:36:07.568930+00:00','2026-11-23T18:36:07.630846+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(7,'run-20261123T183607-4d4c624c336e','local.old.manual','manual','RUNNING','adhoc','{"execution_date": "2026-03-01"}','2026-03-01T01:30:00.000000+00:00','2026-03-02T01:30:00.000000+00:00',NULL,'UTC','0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e',NULL,'local','2026-11-23T18:36:07.682534+00:00','2026-11-23T18:36:07.715950+00:00',NULL,1,2,1,NULL,3600,1,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(8,'run-20261123T183607-d12b6feb63c1','local.old.manual','manual','PENDING','adhoc','{"execution_date": "2026-03-02"}','2026-03-02T01:30:00.000000+00:00','2026-03-03T01:30:00.000000+00:00',NULL,'UTC','0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e',NULL,'local','2026-11-23T18:36:07.830223+00:00',NULL,NULL,0,2,1,NULL,3600,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(9,'run-20261123T183637-382eff8eb816','local.old.code','code','RUNNING','scheduled','{}','2026-11-22T03:00:00.000000+00:00','2026-11-23T03:00:00.000000+00:00','2026-11-22T03:00:00.000000+00:00','UTC','a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18',NULL,'scheduler','2026-11-23T18:36:37.844266+00:00','2026-11-23T18:36:37.844266+00:00',NULL,1,1,300,NULL,3600,1,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(10,'run-20261123T183637-c36318534ead','local.old.busy','code','RUNNING','backfill','{}','2026-02-01T05:00:00.000000+00:00','2026-02-02T05:00:00.000000+00:00',NULL,'UTC','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','backfill-20261123T183637-2d8db79f1bcf','backfill','2026-11-23T18:36:37.928123+00:00','2026-11-23T18:36:37.968931+00:00',NULL,1,1,300,NULL,3600,1,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(11,'run-20261123T183637-2e24c49d8aab','local.old.busy','code','PENDING','backfill','{}','2026-02-02T05:00:00.000000+00:00','2026-02-03T05:00:00.000000+00:00',NULL,'UTC','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','backfill-20261123T183637-2d8db79f1bcf','backfill','2026-11-23T18:36:37.928123+00:00',NULL,NULL,0,1,300,NULL,3600,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(12,'run-20261123T183637-abe96cc6e5cd','local.old.busy','code','PENDING','backfill','{}','2026-02-03T05:00:00.000000+00:00','2026-02-04T05:00:00.000000+00:00',NULL,'UTC','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','backfill-20261123T183637-2d8db79f1bcf','backfill','2026-11-23T18:36:37.928123+00:00',NULL,NULL,0,1,300,NULL,3600,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(13,'run-20261123T183637-98e54b23c5d1','local.old.busy','code','PENDING','backfill','{}','2026-02-04T05:00:00.000000+00:00','2026-02-05T05:00:00.000000+00:00',NULL,'UTC','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','backfill-20261123T183637-2d8db79f1bcf','backfill','2026-11-23T18:36:37.928123+00:00',NULL,NULL,0,1,300,NULL,3600,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(14,'run-20261123T183638-8cc42702a48f','local.old.late','manual','KILLED','adhoc','{"execution_date": "2026-03-03"}','2026-03-03T05:00:00.000000+00:00','2026-03-04T05:00:00.000000+00:00',NULL,'UTC','f6dcf7e62c1c20ebe791769b02a7e872f1a2def6ca442eb0fa7d4c2d416268b4',NULL,'local','2026-11-23T18:36:38.001549+00:00','2026-11-23T18:36:38.005156+00:00','2026-11-23T18:36:38.025767+00:00',1,2,1,NULL,3600,1,0,NULL,NULL,NULL,'wrong day','local');
CREATE TABLE skipped_tick (
	id INTEGER NOT NULL, 
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	first_at TEXT NOT NULL, 
	last_at TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE spec (
	hash TEXT NOT NULL, 
	content TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (hash)
);
INSERT INTO "spec" VALUES('127f22a8f522f71bf320120f87e8bb746a8fcac02396a13408ead0084131a842','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.both", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.both (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.both SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 4 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 1, "max_attempts": 2}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:35:59.450269+00:00');
INSERT INTO "spec" VALUES('0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.manual", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.manual (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.manual SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "30 1 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 1, "max_attempts": 2}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:35:59.537321+00:00');
INSERT INTO "spec" VALUES('d8f466b44b733ab8599583c5628cd74349f1e3320165011b1204e95dcd5ec064','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.paused", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.paused (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.paused SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 * * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 1, "max_attempts": 2}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:35:59.615947+00:00');
INSERT INTO "spec" VALUES('f6dcf7e62c1c20ebe791769b02a7e872f1a2def6ca442eb0fa7d4c2d416268b4','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.late", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.late (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.late SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 5 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 1, "max_attempts": 2}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:35:59.717380+00:00');
INSERT INTO "spec" VALUES('80e4ffb710754284338c8e117bbbbb4af8ee86704ba96816754d611e28bf6099','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.both", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.both (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.both SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 4 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:35:59.869233+00:00');
INSERT INTO "spec" VALUES('0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.busy", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.busy (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.busy SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 5 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:35:59.869233+00:00');
INSERT INTO "spec" VALUES('a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.code", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.code (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.code SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 3 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:35:59.869233+00:00');
INSERT INTO "spec" VALUES('73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.weekly", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.weekly (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.weekly SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": true, "cron": "0 0 * * 1", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "Asia/Seoul"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:35:59.869233+00:00');
INSERT INTO "spec" VALUES('11332a0d24f4b4e0d650f8164c75952ca0286f7ba4d0ab9c744775b8b87ed020','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.registered", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.registered (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.registered SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 6 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:35:59.941155+00:00');
CREATE TABLE tally (
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	run_type TEXT NOT NULL, 
	status TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (dataset_name, source_type, run_type, status)
);
INSERT INTO "tally" VALUES('local.old.manual','manual','adhoc','PENDING',1);
INSERT INTO "tally" VALUES('local.old.manual','manual','adhoc','RUNNING',1);
INSERT INTO "tally" VALUES('local.old.manual','manual','adhoc','COMPLETED',1);
INSERT INTO "tally" VALUES('local.old.code','code','backfill','PENDING',0);
INSERT INTO "tally" VALUES('local.old.code','code','backfill','RUNNING',0);
INSERT INTO "tally" VALUES('local.old.code','code','backfill','COMPLETED',2);
INSERT INTO "tally" VALUES('local.old.weekly','code','scheduled','PENDING',0);
INSERT INTO "tally" VALUES('local.old.weekly','code','scheduled','RUNNING',0);
INSERT INTO "tally" VALUES('local.old.weekly','code','scheduled','COMPLETED',3);
INSERT INTO "tally" VALUES('local.old.code','code','scheduled','PENDING',0);
INSERT INTO "tally" VALUES('local.old.code','code','scheduled','RUNNING',1);
INSERT INTO "tally" VALUES('local.old.busy','code','backfill','PENDING',3);
INSERT INTO "tally" VALUES('local.old.busy','code','backfill','RUNNING',1);
INSERT INTO "tally" VALUES('local.old.late','manual','adhoc','PENDING',0);
INSERT INTO "tally" VALUES('local.old.late','manual','adhoc','RUNNING',0);
INSERT INTO "tally" VALUES('local.old.late','manual','adhoc','KILLED',1);
CREATE TABLE token (
	token_id TEXT NOT NULL, 
	secret_hash TEXT NOT NULL, 
	last4 TEXT NOT NULL, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	teams TEXT NOT NULL, 
	scopes TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	lifetime_hours INTEGER NOT NULL, 
	expires_at TEXT NOT NULL, 
	revoked_at TEXT, 
	revoked_by TEXT, 
	last_used_at TEXT, 
	PRIMARY KEY (token_id), 
	UNIQUE (secret_hash)
);
INSERT INTO "token" VALUES('tok_d11b1b631f70230f','20a0c59b7ad86e5dfb784ce6a5fc7c707ad28498ecb2e20f20df0124e9e13f0c','su35','ben','viewer','["reliability"]','["data:read", "dataset:read", "run:read"]','2026-11-23T18:35:59.997121+00:00','local',2160,'2027-02-21T18:35:59.997121+00:00',NULL,NULL,NULL);
CREATE TABLE workflow (
	id INTEGER NOT NULL, 
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	status TEXT NOT NULL, 
	paused BOOLEAN NOT NULL, 
	cron TEXT NOT NULL, 
	timezone TEXT NOT NULL, 
	catchup BOOLEAN NOT NULL, 
	next_fire_at TEXT, 
	spec_hash TEXT NOT NULL, 
	spec_enabled BOOLEAN NOT NULL, 
	stored BOOLEAN NOT NULL, 
	owner TEXT NOT NULL, 
	team TEXT NOT NULL, 
	description TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	retry_max_attempts INTEGER NOT NULL, 
	retry_delay_seconds INTEGER NOT NULL, 
	timeout_seconds INTEGER NOT NULL, 
	last_run_at TEXT, 
	last_run_status TEXT, 
	pause_reason TEXT, 
	paused_by TEXT, 
	pause_until TEXT, 
	error TEXT, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT workflow_name_source UNIQUE (dataset_name, source_type)
);
INSERT INTO "workflow" VALUES(1,'local.old.both','manual','overridden',0,'0 4 * * *','UTC',0,NULL,'127f22a8f522f71bf320120f87e8bb746a8fcac02396a13408ead0084131a842',1,1,'ana@example.com','reliability','','[]',2,1,3600,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-23T18:35:59.450269+00:00','2026-11-23T18:35:59.869233+00:00');
INSERT INTO "workflow" VALUES(2,'local.old.manual','manual','active',0,'30 1 * * *','UTC',0,'2026-11-24T01:30:00.000000+00:00','0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e',1,1,'ana@example.com','reliability','','[]',2,1,3600,'2026-11-23T18:36:00.120200+00:00','COMPLETED',NULL,NULL,NULL,NULL,'2026-11-23T18:35:59.537321+00:00','2026-11-23T18:35:59.537321+00:00');
INSERT INTO "workflow" VALUES(3,'local.old.paused','manual','paused',1,'0 * * * *','UTC',0,NULL,'d8f466b44b733ab8599583c5628cd74349f1e3320165011b1204e95dcd5ec064',1,1,'ana@example.com','reliability','','[]',2,1,3600,NULL,NULL,'waits for the bank','local',NULL,NULL,'2026-11-23T18:35:59.615947+00:00','2026-11-23T18:36:00.039122+00:00');
INSERT INTO "workflow" VALUES(4,'local.old.late','manual','active',0,'0 5 * * *','UTC',0,'2026-11-24T05:00:00.000000+00:00','f6dcf7e62c1c20ebe791769b02a7e872f1a2def6ca442eb0fa7d4c2d416268b4',1,1,'ana@example.com','reliability','','[]',2,1,3600,'2026-11-23T18:36:38.005156+00:00','KILLED',NULL,NULL,NULL,NULL,'2026-11-23T18:35:59.717380+00:00','2026-11-23T18:35:59.717380+00:00');
INSERT INTO "workflow" VALUES(5,'local.old.both','code','active',0,'0 4 * * *','UTC',0,'2026-11-24T04:00:00.000000+00:00','80e4ffb710754284338c8e117bbbbb4af8ee86704ba96816754d611e28bf6099',1,1,'ana@example.com','reliability','','[]',1,300,3600,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-23T18:35:59.869233+00:00','2026-11-23T18:35:59.869233+00:00');
INSERT INTO "workflow" VALUES(6,'local.old.busy','code','active',0,'0 5 * * *','UTC',0,'2026-11-24T05:00:00.000000+00:00','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b',1,1,'ana@example.com','reliability','','[]',1,300,3600,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-23T18:35:59.869233+00:00','2026-11-23T18:35:59.869233+00:00');
INSERT INTO "workflow" VALUES(7,'local.old.code','code','active',0,'0 3 * * *','UTC',0,'2026-11-24T03:00:00.000000+00:00','a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18',1,1,'ana@example.com','reliability','','[]',1,300,3600,'2026-11-23T18:36:00.500426+00:00','COMPLETED',NULL,NULL,NULL,NULL,'2026-11-23T18:35:59.869233+00:00','2026-11-23T18:35:59.869233+00:00');
INSERT INTO "workflow" VALUES(8,'local.old.weekly','code','active',0,'0 0 * * 1','Asia/Seoul',1,'2026-11-29T15:00:00.000000+00:00','73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f',1,1,'ana@example.com','reliability','','[]',1,300,3600,'2026-11-23T18:36:07.568930+00:00','COMPLETED',NULL,NULL,NULL,NULL,'2026-11-23T18:35:59.869233+00:00','2026-11-23T18:36:00.685335+00:00');
CREATE INDEX workflow_due ON workflow (next_fire_at);
CREATE INDEX workflow_pause_until ON workflow (pause_until);
CREATE INDEX workflow_status ON workflow (status, dataset_name);
CREATE INDEX run_by_dataset ON run (dataset_name, seq);
CREATE INDEX run_by_status ON run (status, seq);
CREATE INDEX run_by_creation ON run (created_at);
CREATE INDEX run_by_backfill ON run (backfill_id, seq);
CREATE INDEX run_queue ON run (status, dataset_name, seq);
CREATE INDEX backfill_by_dataset ON backfill (dataset_name, created_at);
CREATE INDEX skipped_tick_by_dataset ON skipped_tick (dataset_name, id);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
CREATE INDEX audit_by_resource ON audit (resource, id);
CREATE INDEX message_due ON message (next_try_at);
CREATE INDEX holding_by_team ON holding (kind, team, name);
CREATE INDEX token_by_name ON token (name, created_at);
COMMIT;
