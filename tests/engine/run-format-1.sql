BEGIN TRANSACTION;
CREATE TABLE asks (ordinal INTEGER PRIMARY KEY, trial INTEGER NOT NULL UNIQUE, point TEXT NOT NULL);
INSERT INTO "asks" VALUES(1,0,'{"rate": 0.005424566287083787, "other": 1}');
INSERT INTO "asks" VALUES(2,1,'{"rate": 0.02116186430947084, "other": 2}');
INSERT INTO "asks" VALUES(3,2,'{"rate": 0.009547702902019251, "other": 2}');
INSERT INTO "asks" VALUES(4,3,'{"rate": 0.003122639340323741, "other": 2}');
INSERT INTO "asks" VALUES(5,4,'{"rate": 0.061673569869652146, "other": 1}');
INSERT INTO "asks" VALUES(6,5,'{"rate": 0.014800150674681144, "other": 1}');
INSERT INTO "asks" VALUES(7,6,'{"rate": 0.006001588755234514, "other": 1}');
INSERT INTO "asks" VALUES(8,7,'{"rate": 0.003442242553332542, "other": 2}');
INSERT INTO "asks" VALUES(9,8,'{"rate": 0.3355071226706175, "other": 1}');
INSERT INTO "asks" VALUES(10,9,'{"rate": 0.003516579449230529, "other": 1}');
INSERT INTO "asks" VALUES(11,10,'{"rate": 0.02116186430947084, "other": 2}');
INSERT INTO "asks" VALUES(12,11,'{"rate": 0.009547702902019251, "other": 2}');
INSERT INTO "asks" VALUES(13,12,'{"rate": 0.003122639340323741, "other": 2}');
INSERT INTO "asks" VALUES(14,13,'{"rate": 0.061673569869652146, "other": 1}');
INSERT INTO "asks" VALUES(15,14,'{"rate": 0.014800150674681144, "other": 1}');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('budget','30');
INSERT INTO "meta" VALUES('created','"2026-11-24T18:18:52+00:00"');
INSERT INTO "meta" VALUES('data','null');
INSERT INTO "meta" VALUES('ended','null');
INSERT INTO "meta" VALUES('evaluate','"test_lineage:stretch"');
INSERT INTO "meta" VALUES('fidelity','"none"');
INSERT INTO "meta" VALUES('format','1');
INSERT INTO "meta" VALUES('goals','[["score", true]]');
INSERT INTO "meta" VALUES('hardware','{"system": "Linux-6.18.44-fc-v595-x86_64-with-glibc2.36", "machine": "x86_64", "processor": "AMD EPYC", "cores": 2, "memory_bytes": 25276514304}');
INSERT INTO "meta" VALUES('limits','{"trial_time_s": null, "memory_bytes": 11374431436}');
INSERT INTO "meta" VALUES('lineages','{"0": {"budget": 1.0, "member": 0.0}, "1": {"budget": 1.0, "member": 1.0}, "2": {"budget": 1.0, "member": 2.0}, "3": {"budget": 1.0, "member": 3.0}, "4": {"budget": 1.0, "member": 4.0}, "5": {"budget": 1.0, "member": 5.0}, "6": {"budget": 1.0, "member": 6.0}, "7": {"budget": 1.0, "member": 7.0}, "8": {"budget": 1.0, "member": 8.0}, "9": {"budget": 1.0, "member": 9.0}, "10": {"parent": 1.0, "budget": 2.0, "member": 1.0}, "11": {"parent": 2.0, "budget": 2.0, "member": 2.0}, "12": {"parent": 3.0, "budget": 2.0, "member": 3.0}, "13": {"parent": 4.0, "budget": 2.0, "member": 4.0}, "14": {"parent": 5.0, "budget": 2.0, "member": 5.0}}');
INSERT INTO "meta" VALUES('searcher','"pbt"');
INSERT INTO "meta" VALUES('seed','0');
INSERT INTO "meta" VALUES('settings','{}');
INSERT INTO "meta" VALUES('space_hash','"fed5ffaa13117916bd3bfd733cfa37cd1d341e2a7bf8d66dce13d3fbf64ef1bc"');
INSERT INTO "meta" VALUES('space_name','"space"');
INSERT INTO "meta" VALUES('space_text','"let rate = 1e-3..1.0 log\nlet other = 1 | 2\n"');
INSERT INTO "meta" VALUES('time_s','null');
INSERT INTO "meta" VALUES('uses','{}');
INSERT INTO "meta" VALUES('versions','{"python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6", "scikit-learn": "1.9.1", "safetensors": "0.8.0", "lark": "1.3.1"}');
INSERT INTO "meta" VALUES('workers','2');
CREATE TABLE trials (
    ordinal INTEGER PRIMARY KEY,
    trial INTEGER NOT NULL UNIQUE,
    point TEXT NOT NULL,
    score REAL,
    error TEXT,
    reason TEXT NOT NULL,
    seconds REAL NOT NULL,
    seed INTEGER NOT NULL,
    params INTEGER,
    macs INTEGER,
    measures TEXT NOT NULL,
    curve TEXT NOT NULL,
    traceback TEXT
);
INSERT INTO "trials" VALUES(1,1,'{"rate": 0.02116186430947084, "other": 2}',4.21161864309470834744e-01,NULL,'complete',2.38052589000108127947e+00,1419524863,NULL,NULL,'{"budget": 1.0, "member": 1.0}','[]',NULL);
INSERT INTO "trials" VALUES(2,2,'{"rate": 0.009547702902019251, "other": 2}',4.09547702902019250537e-01,NULL,'complete',1.24899000002187676727e-03,1323506485,NULL,NULL,'{"budget": 1.0, "member": 2.0}','[]',NULL);
INSERT INTO "trials" VALUES(3,3,'{"rate": 0.003122639340323741, "other": 2}',4.03122639340323718482e-01,NULL,'complete',2.00353400032327044755e-03,1985956348,NULL,NULL,'{"budget": 1.0, "member": 3.0}','[]',NULL);
INSERT INTO "trials" VALUES(4,4,'{"rate": 0.061673569869652146, "other": 1}',4.61673569869652133945e-01,NULL,'complete',4.6230440002545947209e-03,437072767,NULL,NULL,'{"budget": 1.0, "member": 4.0}','[]',NULL);
INSERT INTO "trials" VALUES(5,5,'{"rate": 0.014800150674681144, "other": 1}',4.14800150674681122886e-01,NULL,'complete',7.45760600148059893399e-03,1635519451,NULL,NULL,'{"budget": 1.0, "member": 5.0}','[]',NULL);
INSERT INTO "trials" VALUES(6,6,'{"rate": 0.006001588755234514, "other": 1}',4.06001588755234510408e-01,NULL,'complete',0.00402032700003474,870432037,NULL,NULL,'{"budget": 1.0, "member": 6.0}','[]',NULL);
INSERT INTO "trials" VALUES(7,7,'{"rate": 0.003442242553332542, "other": 2}',4.03442242553332552912e-01,NULL,'complete',7.93707999946491327136e-03,1181011641,NULL,NULL,'{"budget": 1.0, "member": 7.0}','[]',NULL);
INSERT INTO "trials" VALUES(8,8,'{"rate": 0.3355071226706175, "other": 1}',2.64492877329382536366e-01,NULL,'complete',9.633075000238022767e-03,1645609316,NULL,NULL,'{"budget": 1.0, "member": 8.0}','[]',NULL);
INSERT INTO "trials" VALUES(9,9,'{"rate": 0.003516579449230529, "other": 1}',4.03516579449230528009e-01,NULL,'complete',3.35648800137278158217e-03,1104272900,NULL,NULL,'{"budget": 1.0, "member": 9.0}','[]',NULL);
INSERT INTO "trials" VALUES(10,10,'{"rate": 0.02116186430947084, "other": 2}',6.64946412670312625436e-01,NULL,'complete',7.03038900064711924642e-03,116905551,NULL,NULL,'{"parent": 1.0, "budget": 2.0, "member": 1.0}','[]',NULL);
INSERT INTO "trials" VALUES(11,11,'{"rate": 0.009547702902019251, "other": 2}',6.51366084851717874748e-01,NULL,'complete',3.87257700094778556376e-03,1017341723,NULL,NULL,'{"parent": 2.0, "budget": 2.0, "member": 2.0}','[]',NULL);
INSERT INTO "trials" VALUES(12,12,'{"rate": 0.003122639340323741, "other": 2}',6.43737416331938705482e-01,NULL,'complete',7.66965099865046795457e-03,1156949358,NULL,NULL,'{"parent": 3.0, "budget": 2.0, "member": 3.0}','[]',NULL);
INSERT INTO "trials" VALUES(13,13,'{"rate": 0.061673569869652146, "other": 1}',7.1020465462311566096e-01,NULL,'complete',7.06237699887424241751e-03,1026399176,NULL,NULL,'{"parent": 4.0, "budget": 2.0, "member": 4.0}','[]',NULL);
INSERT INTO "trials" VALUES(14,14,'{"rate": 0.014800150674681144, "other": 1}',6.57541136349624077972e-01,NULL,'complete',8.65232499927515164017e-03,680179790,NULL,NULL,'{"parent": 5.0, "budget": 2.0, "member": 5.0}','[]',NULL);
COMMIT;
PRAGMA user_version = 1;
